"""Nothing that a reader can see or fetch tells where an image comes from, or what others said."""

import io
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import PIL.Image
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate, CohortImage, Image
from feedback_app.readings.adjudication.sending import send_to_adjudication
from feedback_app.readings.claims import claim
from feedback_app.studies.models import (
    Allocation,
    Case,
    CaseMask,
    CaseRole,
    Draw,
    DrawRule,
    Phase,
    Slot,
    Study,
)
from tests.readings.answers import posted_for, read
from tests.readings.rooms import (
    COHORT_NAME,
    MODEL_NAME,
    active_pool,
    assign,
    make_room,
    mask_blob,
    pool,
    real,
    synthetic,
)

pytestmark = pytest.mark.django_db

OTHERS_COMMENT = "telltale comment of another reader"
CONTROL_WORDS = (
    "gold", "anchor:", "repeat", "repetition", "role", "cohort", "candidate", "seat",
    "propensity", "draw", "uniform", "explor", "active", "reward", "disagree",
)  # fmt: skip


def mixed_cases(count: int = 4) -> list[list[Image]]:
    """One image each: real ones in colour and of another size, and candidates."""
    return [
        [real(10 + n, size=(48, 40), mode="RGB") if n % 2 else synthetic(20 + n)]
        for n in range(count)
    ]


def make_rate(rosa: User, ravi: User) -> Study:
    return make_room("rate", rosa, ravi, cases=mixed_cases(), mask=mask_blob())


def make_rate_k(rosa: User, ravi: User) -> Study:
    cases = [[synthetic(3 * case + n) for n in range(3)] for case in range(3)]
    return make_room("rate_k", rosa, ravi, cases=cases, mask=mask_blob())


def make_compare(rosa: User, ravi: User) -> Study:
    cases = [[synthetic(2 * case + n, size=(32 + 8 * n, 32)) for n in range(2)] for case in (0, 1)]
    return make_room("compare", rosa, ravi, cases=cases)


def make_telling(rosa: User, ravi: User) -> Study:
    return make_room("real_or_synthetic", rosa, ravi, cases=mixed_cases(), mask=mask_blob())


def make_phases(rosa: User, ravi: User) -> Study:
    return make_room(
        "real_or_synthetic",
        rosa,
        ravi,
        cases=mixed_cases(),
        mask=mask_blob(),
        has_phases=True,
    )


REPORTS = [("telltale-vlm", "A small effusion."), ("telltale-cohort", "No effusion.")]


def make_report(rosa: User, ravi: User) -> Study:
    return make_room("write_report", rosa, ravi, cases=mixed_cases(), texts=REPORTS[:1])


def make_compare_reports(rosa: User, ravi: User) -> Study:
    return make_room("compare_reports", rosa, ravi, cases=mixed_cases(), texts=REPORTS)


def make_active(rosa: User, ravi: User) -> Study:
    return active_pool(rosa, ravi, overlap=2)


MAKERS: dict[str, Callable[[User, User], Study]] = {
    "rate": make_rate,
    "rate_k": make_rate_k,
    "compare": make_compare,
    "real_or_synthetic": make_telling,
    "phases": make_phases,
    "write_report": make_report,
    "compare_reports": make_compare_reports,
    "pool": pool,
    "active pool": make_active,
}


@pytest.fixture(params=MAKERS)
def study(request: pytest.FixtureRequest, rosa: User, ravi: User) -> Study:
    """One of each mode; Ravi has read all cases, with a comment. Controls are among the cases."""
    maker = MAKERS[request.param]
    made = maker(rosa, ravi)
    Case.objects.filter(study=made, position=0).update(role=CaseRole.GOLD)
    Case.objects.filter(study=made, position=1).update(role=CaseRole.ANCHOR)
    slots_of(made, rosa)
    for slot in slots_of(made, ravi):
        read(slot, comment=OTHERS_COMMENT, value=1)
    return made


def slots_of(study: Study, reader: User) -> list[Slot]:
    if study.allocation == Allocation.POOL:
        held: list[Slot] = []
        while slot := claim(study, reader, holding=[slot.pk for slot in held]):
            held.append(slot)
        return held
    phases = [Phase.UNAWARE, Phase.AWARE] if study.has_phases else [Phase.ONLY]
    return assign(study, reader, phases=phases)


def secrets_of(study: Study) -> set[str]:
    secrets = {MODEL_NAME, COHORT_NAME, OTHERS_COMMENT, "telltale", "patient-"}
    for case in study.cases.all():
        secrets |= {str(case.pk), case.pk.hex}
    for image in Image.objects.filter(case__study=study):
        secrets |= {str(image.pk), image.pk.hex, image.blob_id, image.pixels_sha256}
    for candidate in Candidate.objects.filter(image__case__study=study):
        secrets |= {candidate.recipe_id}
    for mask in CaseMask.objects.filter(case__study=study).values_list("blob", flat=True):
        secrets.add(str(mask))
    return secrets | {source for source, _ in REPORTS}


def crawl(client: Client, study: Study, slots: list[Slot]) -> dict[str, Any]:
    """Every kind of answer that a reader's browser can get, by its address."""
    someone_elses = Slot.objects.filter(study=study).exclude(reader=slots[0].reader).first()
    assert someone_elses is not None
    answers = {
        "worklist": client.get(reverse("readings:worklist")),
        "preferences": client.get(reverse("api:reading-preferences")),
        "not mine": client.get(reverse("api:slot", args=[someone_elses.pk])),
        "not there": client.get(reverse("readings:read", args=[uuid.uuid4()])),
        "begin": client.post(reverse("readings:begin", args=[study.pk])),
    }
    for slot in slots:
        case = client.get(reverse("api:slot", args=[slot.pk]))
        addresses = [image["address"] for image in case.json()["images"]]
        addresses += [mask["address"] for mask in case.json()["masks"]]
        spoilt = posted_for(slot, comment="x" * 3_000)
        answers |= {
            f"{slot.pk} case": case,
            f"{slot.pk} page": client.get(reverse("readings:read", args=[slot.pk])),
            f"{slot.pk} next": post(client, "api:next", slot, {"holding": [str(slot.pk)]}),
            f"{slot.pk} heartbeat": post(client, "api:heartbeat", slot, {}),
            f"{slot.pk} refused": post(client, "api:readings", slot, spoilt),
            f"{slot.pk} beyond": client.get(reverse("readings:picture", args=[slot.pk, 9])),
            f"{slot.pk} mask": client.get(reverse("readings:mask", args=[slot.pk, "lungs"])),
            f"{slot.pk} bookmark": client.put(reverse("api:bookmark", args=[slot.pk])),
            **{address: client.get(address) for address in addresses},
        }
        answers[f"{slot.pk} accepted"] = post(client, "api:readings", slot, posted_for(slot))
    return answers


def post(client: Client, name: str, slot: Slot, body: object) -> Any:
    return client.post(reverse(name, args=[slot.pk]), body, content_type="application/json")


def pictures_in(answers: dict[str, Any]) -> list[Any]:
    return [answer for name, answer in answers.items() if "/images/" in name]


def test_no_answer_holds_a_secret(study: Study, rosa: User, rosa_client: Client) -> None:
    slots = list(Slot.objects.filter(study=study, reader=rosa))
    secrets = secrets_of(study)
    for name, answer in crawl(rosa_client, study, slots).items():
        assert answer.status_code < 500, name
        text = str(answer.headers) + answer.content.decode("latin-1")
        assert not {secret for secret in secrets if secret in text}, name


def test_every_mode_answers_what_it_is_asked(study: Study, rosa: User, rosa_client: Client) -> None:
    """So that the crawl does not find nothing because it was refused everything."""
    slots = list(Slot.objects.filter(study=study, reader=rosa))
    answers = crawl(rosa_client, study, slots)
    for name, answer in answers.items():
        kind = name.rpartition(" ")[2]
        if kind in {"case", "page", "worklist", "preferences", "heartbeat"} or "/images/" in name:
            assert answer.status_code == 200, name
        if kind == "accepted":
            assert answer.status_code == 201, name


def test_the_json_of_a_case_has_no_word_for_a_control(
    study: Study, rosa: User, rosa_client: Client
) -> None:
    for slot in Slot.objects.filter(study=study, reader=rosa):
        case = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
        asked = {"criteria", "flags", "skip_reasons", "study", "mode", "phase_note"}
        text = json.dumps({key: value for key, value in case.items() if key not in asked})
        assert not [word for word in CONTROL_WORDS if word in text.lower()]


def test_pictures_of_a_study_have_one_size_one_form_and_one_number_of_bytes(
    study: Study, rosa: User, rosa_client: Client
) -> None:
    slots = list(Slot.objects.filter(study=study, reader=rosa))
    pictures = pictures_in(crawl(rosa_client, study, slots))
    assert len({len(picture.content) for picture in pictures}) == 1
    opened = [PIL.Image.open(io.BytesIO(picture.content)) for picture in pictures]
    assert len({(picture.size, picture.mode) for picture in opened}) == 1
    assert opened[0].mode == "L"


def test_headers_of_pictures_are_all_alike(study: Study, rosa: User, rosa_client: Client) -> None:
    slots = list(Slot.objects.filter(study=study, reader=rosa))
    pictures = pictures_in(crawl(rosa_client, study, slots))
    assert len({str(sorted(picture.headers.items())) for picture in pictures}) == 1
    for picture in pictures:
        assert not {"ETag", "Last-Modified", "Content-Disposition"} & set(picture.headers)
        assert picture["Cache-Control"] == "private, no-store"
        assert not re.findall(rb"tEXt|zTXt|iTXt|tIME|eXIf|pHYs|iCCP|gAMA", picture.content[:200])


def comparable(case: dict[str, Any]) -> dict[str, Any]:
    """Without the random address and the place in the order, which every slot has."""
    del case["position"], case["next"], case["previous"]
    slot = case.pop("slot")
    return json.loads(json.dumps(case).replace(slot, "SLOT"))


@pytest.mark.parametrize("maker", [make_telling, make_phases])
def test_a_real_case_reads_like_a_synthetic_one(
    rosa: User, ravi: User, rosa_client: Client, maker: Callable[[User, User], Study]
) -> None:
    study = maker(rosa, ravi)
    slots_of(study, rosa)
    for phase in sorted(set(study.slots.values_list("phase", flat=True)), reverse=True):
        slots = list(study.slots.filter(phase=phase))
        sources = {CohortImage.objects.filter(image__case=slot.case).exists() for slot in slots}
        assert sources == {True, False}
        cases = [
            comparable(rosa_client.get(reverse("api:slot", args=[slot.pk])).json())
            for slot in slots
        ]
        assert all(case == cases[0] for case in cases)
        for slot in slots:
            read(slot)


def test_prompt_and_mask_are_not_there_where_they_would_tell(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    study = make_telling(rosa, ravi)
    for slot in assign(study, rosa):
        case = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
        assert (case["prompt"], case["masks"]) == ("", [])
        assert rosa_client.get(reverse("readings:mask", args=[slot.pk, "lungs"])).status_code == 404


def test_the_unaware_phase_is_a_rating_of_one_image(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    study = make_phases(rosa, ravi)
    slots = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])
    cases = []
    for slot in slots:
        cases.append(rosa_client.get(reverse("api:slot", args=[slot.pk])).json())
        read(slot)
    assert [case["mode"] for case in cases] == ["rate"] * 4 + ["real_or_synthetic"] * 4
    assert [criterion["slug"] for criterion in cases[0]["criteria"]] == ["realism"]
    assert [criterion["slug"] for criterion in cases[4]["criteria"]] == ["source"]
    assert "synthetic" not in json.dumps(cases[0])


def test_the_aware_phase_is_announced_until_it_has_begun(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    study = make_phases(rosa, ravi)
    slots = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])

    def note_of(slot: Slot) -> str:
        note: str = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()["phase_note"]
        return note

    assert note_of(slots[0]) == ""
    for slot in slots[:4]:
        read(slot)
    assert "some of these images are synthetic" in note_of(slots[4])
    read(slots[4])
    assert note_of(slots[5]) == ""


def test_a_repeated_case_is_marked_by_nothing(rosa: User, ravi: User, rosa_client: Client) -> None:
    study = make_rate_k(rosa, ravi)
    first = assign(study, rosa)[0]
    again = Slot.objects.create(
        study=study, case=first.case, reader=rosa, position=9, repetition=1, image_order=[2, 0, 1]
    )
    read(first, value=5, comment="seen once")
    cases = [rosa_client.get(reverse("api:slot", args=[slot.pk])).json() for slot in (first, again)]
    assert cases[0].pop("reading")["comment"] == "seen once"
    assert cases[1].pop("reading") is None
    assert comparable(cases[0]) == comparable(cases[1])
    Slot.objects.filter(pk=first.pk).update(image_order=[0, 1, 2])
    shown = [
        rosa_client.get(reverse("readings:picture", args=[slot.pk, 0])).content
        for slot in (first, again)
    ]
    assert shown[0] != shown[1]


def test_a_case_drawn_by_lot_reads_like_one_drawn_by_value(rosa: User, rosa_client: Client) -> None:
    study = active_pool(rosa, values=[0.1 * n for n in range(8)], exploration_percent=50)
    slots = slots_of(study, rosa)
    rules = set(Draw.objects.filter(slot__in=slots).values_list("rule", flat=True))
    assert rules == {DrawRule.LOT, DrawRule.VALUE}
    cases, headers, steps = [], set(), set()
    for slot in slots:
        with CaptureQueriesContext(connection) as queries:
            answer = rosa_client.get(reverse("api:slot", args=[slot.pk]))
        headers.add(str(sorted(answer.headers.items())).replace(answer["Content-Length"], "N"))
        case = comparable(answer.json())
        case.pop("lease_s")
        cases.append(case)
        steps.add(tuple(query["sql"].partition("WHERE")[0] for query in queries))
    assert all(case == cases[0] for case in cases)
    assert len(headers) == 1
    assert len(steps - {max(steps, key=len)}) <= 1  # the first one settles the study's size


def test_serving_takes_the_same_steps_for_real_and_synthetic(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    slots = assign(make_telling(rosa, ravi), rosa)
    rosa_client.get(reverse("api:slot", args=[slots[0].pk]))  # settles the study's size
    steps = set()
    for slot in slots:
        with CaptureQueriesContext(connection) as queries:
            rosa_client.get(reverse("api:slot", args=[slot.pk]))
            rosa_client.get(reverse("readings:picture", args=[slot.pk, 0]))
        steps.add(tuple(query["sql"].partition("WHERE")[0] for query in queries))
    assert len(steps) == 1


@pytest.mark.parametrize("maker", [make_rate_k, make_compare, make_telling])
def test_an_adjudicator_sees_what_was_said_at_last_and_never_a_source_or_a_name(
    rosa: User, ravi: User, otto: User, otto_client: Client, maker: Callable[..., Study]
) -> None:
    study = maker(rosa, ravi)
    for slot in slots_of(study, ravi):
        read(slot, comment=OTHERS_COMMENT, value=1)
    cases = list(study.cases.values_list("pk", flat=True))
    panel = send_to_adjudication(study, cases=cases, adjudicators=[otto, rosa]).panel
    secrets = secrets_of(study) | secrets_of(panel)
    blind = list(panel.slots.filter(reader=otto, phase=Phase.BLIND))
    for name, answer in crawl(otto_client, panel, blind).items():
        text = str(answer.headers) + answer.content.decode("latin-1")
        assert not {secret for secret in secrets if secret in text}, name
    for slot in panel.slots.filter(reader=rosa, phase=Phase.BLIND):
        read(slot)
    final = list(panel.slots.filter(reader=otto, phase=Phase.FINAL))
    answers = crawl(otto_client, panel, final)
    assert OTHERS_COMMENT in answers[f"{final[0].pk} case"].content.decode()
    for name, answer in answers.items():
        text = str(answer.headers) + answer.content.decode("latin-1")
        text = text.replace(OTHERS_COMMENT, "")
        assert not {secret for secret in {*secrets, "ravi", "Ravi"} if secret in text}, name
