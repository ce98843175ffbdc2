"""Export pages: for admins only, coordinators included in those who are kept out."""

import io
import uuid
import zipfile
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.exports.services import file_name_of, start_export
from feedback_app.runs.models import State

Everyone = dict[str, Client]
Exported = Callable[[], Export]


def expected(allowed: int) -> dict[str, int]:
    denied = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403, "cora": 403}
    return denied | {"ada": allowed}


def test_only_admins_open_and_download_exports(everyone: Everyone, exported: Exported) -> None:
    export = exported()
    for address in (
        reverse("exports:list"),
        reverse("exports:export", args=[export.pk]),
        reverse("exports:download", args=[export.pk]),
    ):
        statuses = {}
        for name, client in everyone.items():
            response = client.get(address)
            statuses[name] = response.status_code
            if response.streaming:
                b"".join(response)
        assert statuses == expected(200), address


def test_only_admins_start_exports(everyone: Everyone, curated_set: CuratedSet) -> None:
    for name, client in everyone.items():
        response = client.post(reverse("exports:create"), {"curated_set": curated_set.pk})
        assert response.status_code == expected(302)[name], name
    export = Export.objects.get()
    assert export.run.created_by is not None
    assert (export.run.created_by.username, export.run.state) == ("ada", State.QUEUED)


@pytest.mark.parametrize("value", ["", "not-an-id", "00000000-0000-4000-8000-000000000000"])
def test_an_export_of_no_curated_set_is_not_started(ada_client: Client, value: str) -> None:
    response = ada_client.post(reverse("exports:create"), {"curated_set": value})
    assert response.status_code == 404
    assert not Export.objects.exists()


def test_the_empty_list_says_what_to_do(ada_client: Client) -> None:
    assert "No export yet" in ada_client.get(reverse("exports:list")).content.decode()


def test_the_download_is_the_archive_under_its_name(ada_client: Client, exported: Exported) -> None:
    export = exported()
    response = ada_client.get(reverse("exports:download", args=[export.pk]))
    assert response.streaming
    assert f'filename="{file_name_of(export)}"' in response["Content-Disposition"]
    content = b"".join(response)
    assert export.blob is not None
    assert content == export.blob.read()
    assert int(response["Content-Length"]) == len(content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def test_an_export_that_is_not_ready_cannot_be_downloaded(
    ada_client: Client, curated_set: CuratedSet
) -> None:
    export = start_export(curated_set)
    assert ada_client.get(reverse("exports:download", args=[export.pk])).status_code == 404
    page = ada_client.get(reverse("exports:export", args=[export.pk])).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "Download" not in page


def test_a_finished_export_stops_asking_for_news(ada_client: Client, exported: Exported) -> None:
    address = reverse("exports:export", args=[exported().pk])
    part = ada_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "hx-trigger" not in part
    assert "Download" in part


def test_the_command_writes_the_archive_to_a_folder(
    curated_set: CuratedSet, tmp_path: object
) -> None:
    out = io.StringIO()
    call_command("export", str(curated_set.pk), out=tmp_path, stdout=out)
    export = Export.objects.get()
    assert export.blob is not None
    written = tmp_path / file_name_of(export)  # type: ignore[operator]
    assert written.read_bytes() == export.blob.read()
    assert str(written) in out.getvalue()
    copied = AuditEvent.objects.get(action="export.downloaded")
    assert (copied.actor, copied.target_id) == (None, str(export.pk))
    assert copied.details == {"copied_to": str(written)}


def test_the_command_knows_only_curated_sets(db: None) -> None:
    with pytest.raises(CommandError, match="There is no curated set"):
        call_command("export", str(uuid.uuid4()))


def test_asking_for_an_export_and_fetching_it_are_in_the_audit_log(
    ada: User, ada_client: Client, curated_set: CuratedSet, exported: Exported
) -> None:
    ada_client.post(reverse("exports:create"), {"curated_set": curated_set.pk})
    asked = AuditEvent.objects.get(action="export.created")
    assert (asked.actor, asked.target_id) == (ada, str(Export.objects.get().pk))
    export = exported()
    for method in (ada_client.head, ada_client.get):
        b"".join(method(reverse("exports:download", args=[export.pk])))
    fetched = AuditEvent.objects.get(action="export.downloaded")
    assert (fetched.actor, fetched.target) == (ada, file_name_of(export))
    assert fetched.target_id == str(export.pk)
