"""Scorers: registering trained ones, and asking for measures by them."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import put
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.versions.folders import BUNDLED_FOLDER, hash_adapter, location_of
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import BUNDLED

FOLDER = "scorers"
"""Within the model versions' folder."""


def require_free_name(name: str) -> None:
    if Scorer.objects.filter(name=name).exists():
        raise RemediableError(f"There is a scorer “{name}” already.", remedy="Choose another name.")


@transaction.atomic
def register_scorer(
    name: str,
    made: Path,
    *,
    kind: ScorerKind,
    target: str = "",
    cohort: Cohort | None = None,
    taught_by_simulated_readers: bool = False,
    figures: Mapping[str, Any],
    created_by: User | None = None,
) -> Scorer:
    """Keep what a training has left and let it measure from now on; twice changes nothing."""
    # Two registrations at a time take turns.
    list(Scorer.objects.select_for_update().values_list("pk"))
    sha256 = hash_adapter(str(made))
    known = Scorer.objects.filter(name=name).first()
    if known is not None:
        if known.sha256 != sha256:
            require_free_name(name)
        return known
    Scorer.objects.active().filter(kind=kind, target=target).update(is_active=False)
    return Scorer.objects.create(
        name=name,
        kind=kind,
        target=target,
        location=location_of(keep(made, sha256=sha256)),
        sha256=sha256,
        cohort=cohort,
        taught_by_simulated_readers=taught_by_simulated_readers,
        figures=dict(figures),
        created_by=created_by,
    )


def keep(made: Path, *, sha256: str) -> Path:
    """Copy a trained network to where models are kept, whole or not at all."""
    root: Path = settings.MODELS_ROOT / FOLDER
    kept = root / sha256
    if not kept.exists():
        root.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=root, prefix=".new-"))
        shutil.copytree(made, temporary, dirs_exist_ok=True)
        temporary.chmod(0o755)
        temporary.rename(kept)
    put(kept)
    return kept


@transaction.atomic
def register_bundled_proxies() -> None:
    """Let the proxies that come with the project measure, where nobody has trained others."""
    for kind, target in ((ScorerKind.SEGMENTER, "lungs"), (ScorerKind.CLASSIFIER, "")):
        trained = Scorer.objects.filter(kind=kind, target=target).exclude(name__startswith=BUNDLED)
        if trained.exists():
            continue
        folder = BUNDLED_FOLDER / "proxy" / kind.value
        register_scorer(
            f"{BUNDLED}-{kind.value}-{hash_adapter(str(folder))[:8]}",
            folder,
            kind=kind,
            target=target,
            figures=json.loads((folder / "figures.json").read_text()),
        )


def start_measuring(created_by: User | None = None) -> Run:
    """Queue the measuring of candidates that were made before the active scorers were."""
    return runs.start(
        "measure", title="Measure candidates made before", spec={}, created_by=created_by
    )
