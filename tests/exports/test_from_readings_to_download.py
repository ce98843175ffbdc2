"""In the browser: from readings over a policy to the archive, made by a real worker."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import Role, User
from tests.curation.stage import set_stage
from tests.workers import Worker


@pytest.mark.slow
@pytest.mark.browser
def test_an_admin_curates_and_downloads(
    page: Page, cpu_worker: Worker, log_in: Callable[[User], None], tmp_path: Path
) -> None:
    rosa = User.objects.create_user("rosa")
    stage = set_stage(rosa, name="First look")
    for index, score in enumerate((5, 4, 1, 0)):
        stage.read(rosa, index, score)
    log_in(User.objects.create_user("ada", role=Role.ADMIN))

    page.goto("/curation/policies/new")
    page.get_by_label("Name").fill("Night one")
    page.get_by_label("First look").check()
    page.get_by_label("Realism").fill("3")
    expect(page.locator("#preview")).to_contain_text("2 of 4 candidates get in")
    page.get_by_label("Fits the prompt").fill("4.5")
    expect(page.locator("#preview")).to_contain_text("1 of 4 candidates gets in")
    page.get_by_role("button", name="Save policy").click()
    page.get_by_role("button", name="Make curated set").click()
    expect(page.locator("#list img")).to_have_count(1)
    page.get_by_role("button", name="Export").click()

    download_link = page.get_by_role("link", name="Download")
    download_link.wait_for(timeout=60_000)
    with page.expect_download() as download:
        download_link.click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    assert target.name.startswith("reading-room-night-one-")
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert sum(name.startswith("images/") for name in archive.namelist()) == 1
