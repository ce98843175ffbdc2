"""An export's archive as it goes out, with its line in the audit log."""

from django.http import FileResponse, HttpResponseBase, HttpResponseRedirect

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.exports.models import Export
from feedback_app.exports.services import file_name_of
from feedback_app.images.blobs.places import signed_address

DESPITE = "retraction"
SIGNED_FOR_S = 300


def hand_out(
    export: Export, *, actor: User, address: str | None, is_marked: bool, is_logged: bool = True
) -> HttpResponseBase:
    """Answers with the archive, streamed, or where it can be fetched from the bucket itself.

    ``is_marked`` where readings are retracted.
    """
    assert export.blob is not None
    address_in_bucket = signed_address(
        export.blob, file_name=file_name_of(export), expire_s=SIGNED_FOR_S
    )
    file = None if address_in_bucket else export.blob.open_checked()
    if is_logged:
        record(
            "export.downloaded",
            actor=actor,
            target=file_name_of(export),
            target_id=export.pk,
            details={"despite_retraction": True} if is_marked else None,
            address=address,
        )
    if address_in_bucket:
        return HttpResponseRedirect(address_in_bucket)
    response = FileResponse(
        file,
        as_attachment=True,
        filename=file_name_of(export),
        content_type=export.blob.media_type,
    )
    response["Content-Length"] = str(export.blob.size_bytes)
    return response
