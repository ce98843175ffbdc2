"""The command that writes instruction data."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.generation.vlm.made_sources import make
from tests.generation.vlm.written import read_rows


def test_it_takes_the_sources_that_lie_in_a_folder_and_those_that_are_named(tmp_path: Path) -> None:
    make(tmp_path / "data", "nih", "radnli")
    elsewhere = make(tmp_path / "elsewhere", "siim")["siim"]
    told = StringIO()
    call_command(
        "build_instructions",
        tmp_path / "out",
        "--data",
        tmp_path / "data",
        "--source",
        f"siim={elsewhere}",
        stdout=told,
    )
    rows = list(read_rows(tmp_path / "out"))
    assert {row["source"] for row in rows} == {"nih", "radnli", "siim"}
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    for split, count in card["splits"].items():
        assert f"{split}: {count:,}" in told.getvalue()


def test_it_says_what_to_do_about_a_source_that_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no source 'imagenet'\.\nUse some of: nih"):
        call_command("build_instructions", tmp_path / "out", "--source", "imagenet=/nowhere")
