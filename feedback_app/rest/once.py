"""``Idempotency-Key``: a request that is sent again is answered again, and done once."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.rest.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(days=7)
KEY_MAX = 255
Handler = Callable[..., Response]


class OtherRequest(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"
    default_detail = "This Idempotency-Key came with another request before."


def once(handler: Handler, request: Request, *args: Any, key: str, **kwargs: Any) -> Response:
    """Handle the request, or answer what it was answered before.

    Only what was done is kept: where the handler raises, all is undone, the key with it.
    """
    if not key.strip() or len(key) > KEY_MAX:
        raise exceptions.ValidationError({HEADER: [f"A key has 1 to {KEY_MAX} characters."]})
    assert request.user.pk is not None
    asked = KeptAnswer(
        owner_id=request.user.pk,
        key=key,
        method=request.method or "",
        path=request.path,
        body_sha256=body_sha256(request.data),
    )
    with transaction.atomic():
        old = timezone.now() - KEPT_FOR
        KeptAnswer.objects.filter(owner=asked.owner_id, created_at__lt=old).delete()
        # Waits for whoever is at it with the same key.
        KeptAnswer.objects.bulk_create([asked], ignore_conflicts=True)
        kept = KeptAnswer.objects.select_for_update().get(owner=asked.owner_id, key=key)
        if not kept.is_of(asked):
            raise OtherRequest
        if kept.status is not None:
            return Response(kept.answer, status=kept.status, headers={"Idempotent-Replay": "true"})
        response = handler(request, *args, **kwargs)
        kept.status = response.status_code
        kept.answer = json.loads(JSONRenderer().render(response.data) or b"null")
        kept.save(update_fields=["status", "answer"])
        return response


def body_sha256(body: Any) -> str:
    """Returns the hash of all that was sent, whatever the order of its fields; files by their
    bytes.
    """
    sums = hashlib.sha256()
    for part in _parts_of(body):
        sums.update(part)
    return sums.hexdigest()


def _parts_of(body: Any) -> Iterator[bytes]:
    if not hasattr(body, "lists"):
        yield json.dumps(body, sort_keys=True).encode()
        return
    for name, values in sorted(body.lists()):
        for value in values:
            yield f"\n{name}=".encode()
            if isinstance(value, UploadedFile):
                yield from value.chunks()
                value.seek(0)
            else:
                yield str(value).encode()
