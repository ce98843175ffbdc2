"""The views that a room's ``api.py`` builds on."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from rest_framework import mixins, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from feedback_app.requests import Request as Asked
from feedback_app.requests import read
from feedback_app.rest import pages
from feedback_app.rest.choosing import (
    FIELDS,
    ORDERING,
    FieldChoice,
    Filters,
    Ordering,
    keep_fields,
)
from feedback_app.rest.once import HEADER, once
from feedback_app.rest.permissions import IsAdmin, IsCoordinator

Kind = TypeVar("Kind", bound=Asked)
OK = (status.HTTP_200_OK,)
STATUSES = {
    "create": (status.HTTP_201_CREATED,),
    "destroy": (status.HTTP_204_NO_CONTENT,),
}


class Nothing(Asked):
    """No field at all: what an action takes that needs only its address."""


class Once(APIView):
    """POST does what it asks for once for each ``Idempotency-Key`` that comes with it.

    ``keeps_answers`` is false where an answer holds what is kept nowhere, such as a password.
    """

    keeps_answers: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        if request.method == "POST" and key is not None and hasattr(self, "post"):
            if not self.keeps_answers:
                raise ValidationError({HEADER: ["The answers of this address are not kept."]})
            handler = partial(once, getattr(self, "post"), key=key)  # noqa: B009
            self.__dict__["post"] = handler  # that of this request alone


class Rows(Once, GenericViewSet[Any]):
    """What can be asked of rows of one kind, by coordinators unless it says otherwise.

    By action, ``asks`` has the request that a body is read as, ``answers`` the serializer of
    what comes back where that is another than ``serializer_class``, and ``statuses`` the
    statuses of success; ``parameters`` are names in the query that only this action knows.
    ``listings`` are the actions whose answer is a page of rows, ``admins_actions`` those that
    are for admins alone.
    """

    permission_classes = [IsCoordinator]
    pagination_class = pages.Pages
    filter_backends = [Filters, Ordering, FieldChoice]
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[Mapping[str, type[Any]]] = {}
    answers: ClassVar[Mapping[str, type[serializers.BaseSerializer[Any]] | None]] = {}
    statuses: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {}
    listings: ClassVar[frozenset[str]] = frozenset({"list"})
    admins_actions: ClassVar[frozenset[str]] = frozenset()

    @property
    def actor(self) -> Any:
        """Whoever calls; the permissions have seen to it that they are logged in."""
        return self.request.user

    def get_permissions(self) -> Any:
        return [IsAdmin()] if self.action in self.admins_actions else super().get_permissions()

    def asked(self, kind: type[Kind]) -> Kind:
        """Returns the request that the body makes."""
        return read(kind, self.request.data)

    def row(self) -> Any:
        """Returns the row that the address names, of an action without a body."""
        read(Nothing, self.request.data)
        return self.get_object()

    def prepare(self, rows: Sequence[Any]) -> None:
        """Give rows that are about to be told what is cheaper to ask of all of them at once."""

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        self.prepare(rows or [])
        return rows

    def page_of(self, rows: Any) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def told(self, row: Any, *, status: int = status.HTTP_200_OK) -> Response:
        self.prepare([row])
        return Response(self.get_serializer(row).data, status=status)

    def get_serializer_class(self) -> Any:
        return self.answers.get(self.action, self.serializer_class)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        serializer = super().get_serializer(*args, **kwargs)
        if self.request and (chosen := self.request.query_params.get(FIELDS)) is not None:
            keep_fields(serializer, chosen)
        return serializer

    @classmethod
    def fields_of(cls, action: str) -> list[str]:
        """Returns the fields that an answer may be narrowed to."""
        kind = cls.answers.get(action, cls.serializer_class)
        return list(kind().fields) if kind else []  # type: ignore[attr-defined]

    @classmethod
    def known_parameters(cls, action: str) -> frozenset[str]:
        """Returns the names that the query of an action, one that reads, may have."""
        known = set(cls.parameters.get(action, ()))
        if cls.fields_of(action):
            known.add(FIELDS)
        if action in cls.listings:
            known |= pages.NAMES
        if action == "list":
            known |= Filters().names_of(cls()) | ({ORDERING} if cls.ordering_fields else set())
        return frozenset(known)

    @classmethod
    def statuses_of(cls, action: str) -> tuple[int, ...]:
        return cls.statuses.get(action) or STATUSES.get(action, OK)


class Listed(Rows, mixins.ListModelMixin):
    """Rows of which there is a list."""


class Read(Listed):
    """Rows of which there is a list, and each of which has an address."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.told(self.get_object())


class OnlyTold:
    """Nothing is written through its fields."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()  # type: ignore[misc]
        for field in fields.values():
            field.read_only = True
        return fields


class Row(OnlyTold, serializers.ModelSerializer[Any]):
    """A row as it is told."""


class Told(OnlyTold, serializers.Serializer[Any]):
    """What is told of something that is no row."""


def user_name(**options: Any) -> serializers.SlugRelatedField[Any]:
    """Returns a person by user name, which is what they are asked for by too."""
    return serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True, **options
    )


def name_of(**options: Any) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(
        slug_field="name", read_only=True, allow_null=True, **options
    )


def _named(field: str, **options: Any) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(
        slug_field=field, read_only=True, allow_null=True, **options
    )
