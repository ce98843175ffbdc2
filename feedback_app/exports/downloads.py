"""An export's archive as it goes out, with its line in the audit log."""

from django.http import FileResponse

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.exports.models import Export
from feedback_app.exports.services import file_name_of

DESPITE = "retraction"


def hand_out(
    export: Export, *, actor: User, address: str | None, is_marked: bool, is_logged: bool = True
) -> FileResponse:
    """The archive, streamed from the storage; ``is_marked`` where readings are retracted."""
    assert export.blob is not None
    file = export.blob.open_checked()
    if is_logged:
        record(
            "export.downloaded",
            actor=actor,
            target=file_name_of(export),
            target_id=export.pk,
            details={"despite_retraction": True} if is_marked else None,
            address=address,
        )
    response = FileResponse(
        file,
        as_attachment=True,
        filename=file_name_of(export),
        content_type=export.blob.media_type,
    )
    response["Content-Length"] = str(export.blob.size_bytes)
    return response
