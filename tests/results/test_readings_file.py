"""Files of the readings: every answer in a row, and blind while the study is."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from sklearn.metrics import cohen_kappa_score

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.readings.services import GivenFlag, GivenRegion
from feedback_app.readings.services.retractions import retract
from feedback_app.results.figures import figures_of
from feedback_app.results.readings_file.columns import TABLES
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.results.readings_file.writing import write_parquet
from feedback_app.studies.models import Study
from tests.readings.answers import read
from tests.readings.filling import candidate, rated_study, real_image
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db
NAN = np.nan
SCORES = np.array([[1, 2], [3, 3], [4, 5], [0, 1], [5, 5], [2, 2]])


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def table(client: Client, study: Study, name: str, **asked: str) -> pd.DataFrame:
    answer = client.get(reverse("readings:readings-file", args=[study.pk, name, "csv"]), asked)
    return pd.read_csv(io.BytesIO(content_of(answer)), keep_default_na=False)


def test_three_figures_of_the_results_follow_from_the_file(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = rated_study(rosa, ravi, scores=SCORES)
    figures = figures_of(study)
    one = figures.scores[0]
    found = table(cora_client, study, "scores", names="yes")
    counted = found[found.is_last_revision & (found.repetition == 0) & ~found.is_retracted]
    assert counted.groupby("reader").value.mean().to_dict() == {
        name: pytest.approx(np.average(range(6), weights=counts))
        for name, counts in zip(one.readers, one.counts, strict=True)
    }
    by_reader = counted.pivot(index="image", columns="reader", values="value")
    kappa = cohen_kappa_score(
        by_reader["Rosa"], by_reader["Ravi"], labels=range(6), weights="quadratic"
    )
    assert one.agreement.kappas[0][1].value == pytest.approx(kappa)
    assert len(counted.reading_id.unique()) == figures.reading_count


def test_everything_that_a_reader_said_is_in_a_table(cora_client: Client, rosa: User) -> None:
    images = [synthetic(1, prompt="an effusion"), synthetic(2)]
    study = make_room("rate", rosa, cases=[[image] for image in images], name="Said")
    first, second = assign(study, rosa)
    box = GivenRegion(shape="box", points=[(4, 6), (20, 26)])
    flag = GivenFlag(place=0, flag="noise", grade="major", regions=[box])
    read(first, value=4, flags=[flag], comment="=cmd|' /C calc'!A0", active_ms=12_500)
    read(second, scores=[], skip_reason="technical", comment="It is black.")

    scores = table(cora_client, study, "scores")
    assert scores.value.unique().tolist() == [4]
    assert scores.anchor.astype(str).unique().tolist() == [
        study.criteria.earliest("position").anchors[4]
    ]
    assert (scores.seconds.unique().tolist(), scores.source.unique().tolist()) == (
        [12.5],
        ["synthetic"],
    )
    assert scores.image_id.unique().tolist() == [str(images[0].pk)]
    (flagged,) = table(cora_client, study, "flags").to_dict("records")
    assert (flagged["flag"], flagged["grade"], flagged["image"]) == ("noise", "major", "1-1")
    (region,) = table(cora_client, study, "regions").to_dict("records")
    assert (region["shape"], region["points"]) == ("box", "4,6 20,26")
    comments = table(cora_client, study, "comments").comment.tolist()
    assert comments == ["'=cmd|' /C calc'!A0", "It is black."]
    (skip,) = table(cora_client, study, "skips").to_dict("records")
    assert (skip["skip_reason"], skip["case"]) == ("technical", 2)


def test_choices_name_the_better_image(cora_client: Client, rosa: User) -> None:
    images = [synthetic(1), synthetic(2)]
    study = make_room("compare", rosa, cases=[images])
    (slot,) = assign(study, rosa)
    read(slot)
    chosen = table(cora_client, study, "choices")
    assert set(chosen.verdict) == {"better"}
    better = images[slot.image_order[0]]
    place = "1-1" if slot.image_order[0] == 0 else "1-2"
    assert (set(chosen.better_image), set(chosen.strength)) == ({place}, {2})
    assert set(chosen.better_image_id) <= {"", str(better.pk)}


def test_regions_open_as_coco(cora_client: Client, rosa: User) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1)]])
    (slot,) = assign(study, rosa)
    triangle = GivenRegion(shape="polygon", points=[(0, 0), (10, 0), (0, 8)])
    read(slot, flags=[GivenFlag(place=0, flag="noise", grade="minor", regions=[triangle])])
    address = reverse("readings:readings-file", args=[study.pk, "regions.coco", "json"])
    found = json.loads(content_of(cora_client.get(address)))
    (annotation,) = found["annotations"]
    assert (annotation["bbox"], annotation["area"]) == ([0, 0, 10, 8], 40)
    assert annotation["segmentation"] == [[0, 0, 10, 0, 0, 8]]
    assert annotation["image_id"] in {image["id"] for image in found["images"]}
    retract(reader=rosa, reason="An unreliable screen.")
    assert json.loads(content_of(cora_client.get(address)))["annotations"] == []


def test_regions_open_as_parquet(rosa: User, tmp_path: Path) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1)]])
    box = GivenRegion(shape="box", points=[(4, 6), (20, 26)])
    flag = GivenFlag(place=0, flag="noise", grade="major", regions=[box])
    read(assign(study, rosa)[0], flags=[flag])
    write_parquet(StudyRows(study), TABLES["regions"], tmp_path / "regions.parquet")
    assert pd.read_parquet(tmp_path / "regions.parquet").points.tolist() == ["4,6 20,26"]


def test_a_blind_study_gives_no_column_away(cora_client: Client, rosa: User) -> None:
    study = make_room("real_or_synthetic", rosa, cases=[[synthetic(1)], [real(2)]])
    for slot in assign(study, rosa):
        read(slot)
    telling = ["image_id", "source", "model_version", "image_prompt"]
    blind = table(cora_client, study, "scores")
    assert set(blind[telling].to_numpy().ravel()) == {""}
    Study.objects.filter(pk=study.pk).update(unblinded_at=timezone.now())
    assert set(table(cora_client, study, "scores").source) == {"synthetic", "real"}


def test_readers_have_pseudonyms_unless_names_are_asked_for_which_is_noted(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[3, 4]]))
    pseudonyms = set(table(cora_client, study, "scores").reader)
    assert [name.startswith("reader-") for name in pseudonyms] == [True, True]
    assert set(table(cora_client, study, "scores", names="yes").reader) == {"Rosa", "Ravi"}
    taken = AuditEvent.objects.filter(action="study.readings_taken_out")
    assert [event.details["names"] for event in taken.order_by("pk")] == [False, True]
    User.objects.filter(pk=ravi.pk).update(first_name=rosa.first_name, last_name=rosa.last_name)
    twins = set(table(cora_client, study, "scores", names="yes").reader)
    assert twins == {"Rosa (rosa)", "Rosa (ravi)"}


def test_who_may_take_the_readings_out(everyone: dict[str, Client], rosa: User) -> None:
    study = rated_study(rosa, scores=np.array([[3]]))
    address = reverse("readings:readings-file", args=[study.pk, "scores", "csv"])
    expected = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403, "cora": 200, "ada": 200}
    assert {who: client.get(address).status_code for who, client in everyone.items()} == expected
    wrong = reverse("readings:readings-file", args=[study.pk, "people", "csv"])
    assert everyone["ada"].get(wrong).status_code == 404


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_command_writes_every_table_with_its_dictionary(
    tmp_path: Path, rosa: User, ravi: User, form: str
) -> None:
    study = rated_study(rosa, ravi, scores=SCORES)
    call_command("export_readings", study.name, str(tmp_path), form=form)
    opened = pd.read_csv if form == "csv" else pd.read_parquet
    scores = opened(tmp_path / f"scores.{form}")
    assert scores.value.tolist() and scores.is_last_revision.all()
    assert len(scores) == SCORES.size
    meanings = pd.read_csv(tmp_path / "dictionary.csv")
    for name in TABLES:
        columns = list(opened(tmp_path / f"{name}.{form}").columns)
        assert columns == meanings[meanings.table == name].column.tolist()
    assert json.loads((tmp_path / "regions.coco.json").read_text())["annotations"] == []


def test_answers_about_the_source_have_the_layout_of_imrmc(
    cora_client: Client, rosa_client: Client, rosa: User, ravi: User, tmp_path: Path
) -> None:
    images = [candidate(1), candidate(2, model="other, model"), real_image(3)]
    study = make_room("real_or_synthetic", rosa, ravi, cases=[[image] for image in images])
    for reader, values in ((rosa, (4, 3, 0)), (ravi, (2, 4, 1))):
        for slot, value in zip(assign(study, reader), values, strict=True):
            read(slot, value=value)
    address = reverse("api:readings-file", args=[study.pk, "imrmc", "imrmc"])
    in_r = reverse("readings:readings-file", args=[study.pk, "imrmc", "csv"])
    assert cora_client.get(address).status_code == 404  # it is blind
    assert cora_client.get(in_r).status_code == 404
    Study.objects.update(unblinded_at=timezone.now())
    head, _, rows = (
        content_of(cora_client.get(address, {"names": "yes"})).decode().partition("BEGIN DATA:\n")
    )
    assert head.splitlines()[1:] == ["N0: 1", "N1: 2", "NR: 2", "NM: 2"]
    found = [line.split(",") for line in rows.splitlines()]
    truths = [row for row in found if row[0] == "-1"]
    assert truths == [["-1", "1-1", "0", "1"], ["-1", "2-1", "0", "1"], ["-1", "3-1", "0", "0"]]
    of_rosa = sorted(row[1:] for row in found if row[0] == "Rosa")
    names = ["model-one", "other model"]
    assert [row[1] for row in of_rosa if row[0] == "3-1"] == names  # real ones in each
    assert len(found) == 3 + 2 * (2 + 2)
    table = pd.read_csv(io.BytesIO(content_of(cora_client.get(in_r))))
    assert list(table.columns) == ["readerID", "caseID", "modalityID", "score"]
    assert (table.readerID == "truth").sum() == 3
    retract(reader=ravi, study=study, reason="Asleep.")
    assert b"NR: 1" in content_of(cora_client.get(address))
    call_command("export_readings", study.name, str(tmp_path))
    assert (tmp_path / "imrmc.imrmc").read_text().count("\n") == 6 + 3 + 4


def test_a_program_gets_the_same_tables(
    cora_client: Client, rosa_client: Client, rosa: User
) -> None:
    study = rated_study(rosa, scores=SCORES[:, :1])
    address = reverse("api:readings-file", args=[study.pk, "scores", "csv"])
    by_page = reverse("readings:readings-file", args=[study.pk, "scores", "csv"])
    answer = cora_client.get(address, headers={"Accept": "text/csv"})
    assert content_of(answer) == content_of(cora_client.get(by_page))
    assert AuditEvent.objects.filter(action="study.readings_taken_out").count() == 2
    assert cora_client.get(address.replace("scores", "secrets")).status_code == 404
    assert rosa_client.get(address).status_code == 403
