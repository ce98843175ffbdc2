"""Proxies: trained by real child processes, measuring candidates, drawing pseudo-masks."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.candidates.tasks.measures import unmeasured
from feedback_app.images.cohorts.ingesting import add_masks, store_blobs
from feedback_app.images.cohorts.manifests import write_manifest
from feedback_app.images.cohorts.preparing import Known, prepare
from feedback_app.images.measures import OF_PICTURES
from feedback_app.images.models import (
    Batch,
    Candidate,
    Cohort,
    CohortImage,
    Mask,
    Measure,
    Patient,
    Recipe,
    RecipeMask,
    Scorer,
    ScorerKind,
    Split,
)
from feedback_app.images.scorers.services import register_bundled_proxies, register_scorer
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute
from generation.datasets.parsed import SourceImage, SourceMask
from generation.downstream.classifier import Classifier, ClassifierConfig, build_densenet
from generation.downstream.confidence import Calibration
from generation.downstream.segmenter import Segmenter, SegmenterConfig, build_unet
from generation.downstream.shapes import Plausibility
from generation.errors import RemediableError
from generation.measures.agreement import label_agreement
from generation.training.images import read_manifest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trainings_here")]

Ask = Callable[..., Batch]
SPLITS = (*([Split.TRAIN] * 12), *([Split.VALIDATION] * 4), *([Split.TEST] * 4))
TINY = {"resolution": 32, "max_steps": 2, "evaluate_every": 1, "batch_size": 4}


def png_of(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def disc() -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    rows, columns = np.mgrid[:40, :40]
    return np.asarray((rows - 20) ** 2 + (columns - 20) ** 2 < 100)


@pytest.fixture
def cohort(db: None) -> Cohort:
    """Twenty patients with a disc each, half of them with pneumonia; all but one outlined."""
    cohort = Cohort.objects.create(name="discs", source="folder")
    for number, split in enumerate(SPLITS):
        patient = Patient.objects.create(cohort=cohort, source_id=f"p{number}", split=split)
        noise = np.random.default_rng(number).integers(0, 80, (40, 40), dtype=np.uint8)
        image = CohortImage.objects.create(
            image=store_image(png_of(noise + np.uint8(160) * disc()), name="disc"),
            cohort=cohort,
            patient=patient,
            source_id=f"{number:02}.png",
            findings=["pneumonia"] if number % 2 else [],
            source_labels={"Finding Labels": "..."} if number else {},
        )
        if number != 19:
            outline = store(png_of(disc().astype(np.uint8) * 255), media_type="image/png")
            Mask.objects.create(cohort_image=image, kind="lungs", blob=outline)
    return cohort


def save_classifier(folder: Path) -> Path:
    """One that has learnt nothing: 0.5 for each of two findings."""
    torch.manual_seed(0)
    net = build_densenet("tiny", outputs=2)
    net.class_layers.out.weight.data.zero_()
    net.class_layers.out.bias.data.zero_()
    config = ClassifierConfig(
        findings=("edema", "pneumonia"), resolution=32, network="tiny", validation_auroc=0.5
    )
    Classifier(net, config).save(folder)
    return folder


def save_segmenter(folder: Path) -> Path:
    """One that draws everything."""
    net = build_unet((8, 16))
    for weights in net.parameters():
        weights.data.zero_()
    last = [weights for name, weights in net.named_parameters() if name.endswith("bias")][-1]
    last.data.fill_(5.0)
    config = SegmenterConfig(
        kind="lungs",
        resolution=32,
        widths=(8, 16),
        plausibility=Plausibility(parts=(1, 1), area=(0.1, 1.0), balance=0.5),
        calibration=Calibration(slope=0.0, intercept=0.75),
        validation_dice=0.5,
    )
    Segmenter(net, config).save(folder)
    return folder


@pytest.fixture
def classifier(db: None, tmp_path: Path) -> Scorer:
    made = save_classifier(tmp_path / "classifier")
    return register_scorer("labels", made, kind=ScorerKind.CLASSIFIER, figures={})


@pytest.fixture
def segmenter(db: None, tmp_path: Path) -> Scorer:
    made = save_segmenter(tmp_path / "segmenter")
    return register_scorer("outlines", made, kind=ScorerKind.SEGMENTER, target="lungs", figures={})


@pytest.mark.slow
def by_scorers() -> QuerySet[Measure]:
    """Measures that need trained weights."""
    return Measure.objects.exclude(scorer__in=[kind.name for kind in OF_PICTURES])


@pytest.mark.django_db(transaction=True)
def test_a_cohort_trains_proxies_that_measure_what_was_made_before(
    cohort: Cohort, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    batch = ask(per_prompt=1)
    execute(run_id=str(batch.runs.get().pk))
    call_command(
        "train_proxy", "discs", segmenter=True, classifier=True, network="tiny", now=True, **TINY
    )
    segmenter, classifier = Scorer.objects.active().order_by("-kind")
    assert (segmenter.kind, segmenter.target) == (ScorerKind.SEGMENTER, "lungs")
    assert segmenter.figures["test_images"] == 3
    assert "test_auroc_pneumonia" in classifier.figures
    call_command("measure", now=True)
    assert set(by_scorers().values_list("scorer", "version")) == {
        ("label-agreement", classifier.version)
    }
    assert by_scorers().count() == 2
    # A training that is done twice registers the same proxy.
    run = Run.objects.filter(kind="train_proxy").latest("created_at")
    Run.objects.filter(pk=run.pk).update(state=State.QUEUED, finished_at=None)
    execute(run_id=str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error) == (State.SUCCEEDED, "")
    assert Scorer.objects.count() == 2


def test_candidates_are_measured_as_they_are_made_and_once(
    ask: Ask, classifier: Scorer, segmenter: Scorer
) -> None:
    batch = ask(per_prompt=2)
    execute(run_id=str(batch.runs.get().pk))
    measures = Measure.objects.filter(scorer="label-agreement", version=classifier.version)
    assert measures.count() == by_scorers().count() == 4
    measure = measures.first()
    assert measure is not None
    assert measure.value == pytest.approx(0.5, abs=1e-3)
    assert dict(measure.probabilities) == {"edema": 0.5, "pneumonia": 0.5}
    assert unmeasured(classifier) == []
    call_command("measure", now=True)
    assert by_scorers().count() == 4


def test_a_candidate_of_a_mask_is_compared_with_it(
    cohort: Cohort, ask: Ask, segmenter: Scorer
) -> None:
    batch = ask(per_prompt=1)
    execute(run_id=str(batch.runs.get().pk))
    mask = Mask.objects.filter(cohort_image__cohort=cohort)[0]
    conditioned = Recipe.objects.filter(findings=["pneumonia"])
    RecipeMask.objects.create(recipe=conditioned.get(), kind="lungs", parent=mask, blob=mask.blob)
    call_command("measure", now=True)
    measure = by_scorers().get()
    assert measure.image.candidate.recipe == conditioned.get()
    assert (measure.scorer, measure.details) == ("mask-agreement", {"kind": "lungs"})
    # Everything was drawn, and about a fifth of it was asked for.
    share = disc().mean()
    assert measure.value == pytest.approx(2 * share / (1 + share), abs=0.02)


def test_a_new_scorer_takes_the_place_of_the_old_one_of_its_kind(
    classifier: Scorer, segmenter: Scorer, tmp_path: Path
) -> None:
    made = save_classifier(tmp_path / "another")
    again = register_scorer("labels", made, kind=ScorerKind.CLASSIFIER, figures={})
    newer = register_scorer("labels-2", made, kind=ScorerKind.CLASSIFIER, figures={})
    assert again == classifier
    assert set(Scorer.objects.active()) == {newer, segmenter}
    with pytest.raises(RemediableError, match="already"):
        register_scorer(
            "labels-2", save_segmenter(tmp_path / "x"), kind=ScorerKind.SEGMENTER, figures={}
        )


def test_pseudo_masks_are_marked_and_give_way_to_drawn_ones(
    cohort: Cohort, segmenter: Scorer, tmp_path: Path
) -> None:
    call_command("pseudo_mask", "discs", now=True)
    pseudo = Mask.objects.pseudo().get()
    assert (pseudo.cohort_image.source_id, pseudo.is_pseudo) == ("19.png", True)
    assert pseudo.confidence == pytest.approx(0.75)
    with PIL.Image.open(io.BytesIO(pseudo.blob.read())) as drawn:
        assert drawn.size == (40, 40) and drawn.getextrema() == (255, 255)
    call_command("pseudo_mask", "discs", now=True)
    assert Mask.objects.count() == 20
    manifest = tmp_path / "manifest.jsonl"
    write_manifest(cohort, manifest, masks=Mask.objects.drawn_by_people())
    assert sum("lungs" in row.masks for row in read_manifest(manifest)) == 19
    file = tmp_path / "19.png"
    file.write_bytes(png_of(disc().astype(np.uint8) * 255))
    drawn_mask = SourceMask(kind="lungs", path=file)
    row = SourceImage(source_id="19.png", path=file, patient=None, masks=(drawn_mask,))
    prepared = prepare(row, Known(width=40, height=40, mask_kinds=frozenset()))
    store_blobs([prepared])
    add_masks(prepared, image=pseudo.cohort_image)
    assert not Mask.objects.pseudo().exists()


def test_masks_of_less_confidence_are_not_kept(cohort: Cohort, segmenter: Scorer) -> None:
    call_command("pseudo_mask", "discs", now=True, least_confidence=0.8)
    assert Run.objects.get(kind="pseudo_masks").result == {"drawn": 0, "doubtful": 1}
    assert not Mask.objects.pseudo().exists()


def test_labels_of_an_image_without_any_are_unknown(cohort: Cohort, tmp_path: Path) -> None:
    write_manifest(cohort, tmp_path / "manifest.jsonl", masks=Mask.objects.drawn_by_people())
    first, second, *_ = read_manifest(tmp_path / "manifest.jsonl")
    assert "pneumonia" in first.unknown and first.findings == ()
    assert (second.unknown, second.findings) == ((), ("pneumonia",))


def test_what_cannot_be_trained_is_named(cohort: Cohort, classifier: Scorer) -> None:
    for arguments, said in (
        (("nobody", "--segmenter"), "no cohort 'nobody'"),
        (("discs",), "Say what to train"),
        (("discs", "--segmenter", "--mask-kind", "heart"), "no image with a mask of the kind"),
        (("discs", "--segmenter", "--resolution", "33"), "resolution = 33"),
        (("discs", "--classifier", "--network", "vast"), "invalid choice: 'vast'"),
        (("discs", "--classifier", "--name", "labels"), "already"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("train_proxy", *arguments)
    with pytest.raises(CommandError, match="No segmenter draws 'lungs'"):
        call_command("pseudo_mask", "discs")
    assert not Run.objects.exists()


def test_label_agreement_by_hand() -> None:
    found = {"edema": 0.2, "pneumonia": 0.9}
    assert label_agreement(found, ["pneumonia"]) == 0.9
    assert label_agreement(found, ["edema", "pneumonia", "mass"]) == pytest.approx(0.55)
    assert label_agreement(found, []) == pytest.approx(0.1)
    assert label_agreement(found, ["mass"]) is None


def test_the_gallery_sorts_by_a_measure(cora_client: Client, ask: Ask) -> None:
    batch = ask(per_prompt=2)
    execute(run_id=str(batch.runs.get().pk))
    first, second, third, _ = Candidate.objects.order_by("pk")
    for candidate, value in ((first, 0.3), (second, 0.9), (third, 0.6)):
        for version, shift in (("old", 0.05), ("new", 0.0)):
            Measure.objects.create(
                image=candidate.image,
                scorer="label-agreement",
                version=version,
                value=value + shift,
            )
    address = reverse("images:gallery")
    page = cora_client.get(address, {"order": "label-agreement"}).context["page"]
    assert [candidate.pk for candidate in page][:3] == [second.pk, third.pk, first.pk]
    assert [candidate.measured for candidate in page] == [0.9, 0.6, 0.3, None]
    shown = cora_client.get(address, {"order": "-label-agreement"})
    assert next(iter(shown.context["page"])).pk == first.pk
    assert "label agreement <strong>0.30</strong>" in shown.content.decode()


def test_bundled_proxies_measure_until_somebody_trains_others(db: None, tmp_path: Path) -> None:
    register_bundled_proxies()
    register_bundled_proxies()
    assert sorted(Scorer.objects.active().values_list("kind", flat=True)) == [
        "classifier",
        "segmenter",
    ]
    own = register_scorer(
        "own", save_classifier(tmp_path / "own"), kind=ScorerKind.CLASSIFIER, figures={}
    )
    register_bundled_proxies()
    assert list(Scorer.objects.active().filter(kind="classifier")) == [own]
