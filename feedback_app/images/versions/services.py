"""Model versions: registering weights under a name, and promoting one."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.versions.models import ModelVersion, Promotion, PromotionKind
from generation.errors import RemediableError
from generation.specs import BUNDLED

BUNDLED_NAME = "bundled"
BUNDLED_FOLDER: Path = settings.ROOT / "generation" / "bundled"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+@[\w.-]+", re.ASCII)
"""``owner/name@revision``."""
HUB_RESOLUTION = 512
CONTROL_NET = "controlnet"
"""The folder of a model's ControlNet."""


@transaction.atomic
def register(
    name: str,
    location: str,
    *,
    parent: ModelVersion | None = None,
    method: str = "",
    resolution: int | None = None,
    taught_by_simulated_readers: bool = False,
    created_by: User | None = None,
) -> ModelVersion:
    """Register weights under a name; the same weights and name again change nothing.

    ``location`` is ``bundled``, a folder in the diffusers format, a hub id with its
    revision (``owner/name@revision``) or, with a parent, the folder of an adapter.
    A child is taught by simulated readers where its parent is.
    """
    sha256 = hash_weights(location, is_adapter=parent is not None)
    known = ModelVersion.objects.filter(name=name).first()
    if known is not None:
        return _same(known, location=location, sha256=sha256, parent=parent)
    inherited = parent is not None and parent.taught_by_simulated_readers
    version = ModelVersion.objects.create(
        name=name,
        parent=parent,
        location=location,
        sha256=sha256,
        method=method,
        taught_by_simulated_readers=taught_by_simulated_readers or inherited,
        follows_masks=has_control_net(location) or bool(parent and parent.follows_masks),
        resolution=resolution or (parent.resolution if parent else native_resolution(location)),
        created_by=created_by,
    )
    if not ModelVersion.objects.filter(is_promoted=True).exists():
        promote(version, kind=PromotionKind.FIRST, actor=created_by)
    return version


def require_free_name(name: str) -> None:
    if ModelVersion.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a model version “{name}” already.", remedy="Choose another name."
        )


def find_version(name: str) -> ModelVersion:
    """The model version of this name; without a name, the promoted one."""
    versions = ModelVersion.objects.all()
    found = versions.filter(name=name) if name else versions.filter(is_promoted=True)
    version = found.first()
    if version is None:
        raise RemediableError(
            f"There is no model version {name!r}." if name else "No model version is promoted.",
            remedy="Name one; manage.py register_model registers it where there is none.",
        )
    return version


@transaction.atomic
def register_bundled() -> ModelVersion:
    """The model that comes with the project.

    One that came with an earlier release stays, for the candidates that it made, and hands
    its promotion on: its weights are no longer there.
    """
    sha256 = hash_weights(BUNDLED)
    releases = ModelVersion.objects.filter(location=BUNDLED)
    known = releases.filter(sha256=sha256).first()
    if known is not None:
        return known
    is_first = not ModelVersion.objects.filter(name=BUNDLED_NAME).exists()
    name = BUNDLED_NAME if is_first else f"{BUNDLED_NAME}-{sha256[:8]}"
    version = register(name, BUNDLED, method="pretrain")
    if releases.filter(is_promoted=True).exists():
        promote(version)
    return version


def require_weights(version: ModelVersion) -> None:
    """Raise where the weights of a version or of an ancestor are not those registered."""
    for ancestor in version.ancestry:
        found = hash_weights(ancestor.location, is_adapter=ancestor.parent is not None)
        if found != ancestor.sha256:
            raise RemediableError(
                f"The weights of “{ancestor.name}” are no longer those that were registered.",
                remedy=f"Put them back into {ancestor.location}, or use another version.",
            )


def _same(
    known: ModelVersion, *, location: str, sha256: str, parent: ModelVersion | None
) -> ModelVersion:
    if known.sha256 != sha256 or known.parent != parent:
        raise RemediableError(
            f"There is a model version “{known.name}” already, with other weights.",
            remedy="Give this one another name.",
        )
    if known.location != location:  # the same weights, in another place now
        known.location = location
        known.save(update_fields=["location"])
    return known


def hash_weights(location: str, *, is_adapter: bool = False) -> str:
    """SHA-256 over the names and hashes of the safetensors files, or over a hub id's text."""
    folder = folder_of(location)
    if folder is None:
        return hashlib.sha256(location.encode()).hexdigest()
    files = sorted(folder.rglob("*.safetensors") if is_adapter else _model_files(folder))
    if not files:
        raise RemediableError(
            f"{folder} holds no *.safetensors file.",
            remedy="Save the weights as safetensors: other formats can run code when loaded.",
        )
    sums = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        sums.update(f"{path.relative_to(folder).as_posix()}:{digest}\n".encode())
    return sums.hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    """The weights of the parts that the pipeline's index names, and of a ControlNet."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise RemediableError(
            f"{folder} is not a model in the diffusers format: it has no model_index.json.",
            remedy="Name the folder that save_pretrained() of a pipeline has written.",
        )
    named = json.loads(index.read_text())
    parts = {part for part, kind in named.items() if isinstance(kind, list)}
    for part in parts | {CONTROL_NET}:
        yield from (folder / part).glob("*.safetensors")


def has_control_net(location: str) -> bool:
    """Whether the model's folder has a ControlNet, by which it follows masks."""
    folder = folder_of(location)
    return folder is not None and any((folder / CONTROL_NET).glob("*.safetensors"))


def folder_of(location: str) -> Path | None:
    """The folder that a location names; None for a hub id."""
    if location == BUNDLED:
        return _bundled_folder()
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    if HUB_ID.fullmatch(location):
        return None
    raise RemediableError(
        f"There is no model at {location!r}.",
        remedy=(
            f"Name “{BUNDLED}”, a folder in the diffusers format on this server, or a hub id "
            "with its revision, as in owner/name@revision."
        ),
    )


def _bundled_folder() -> Path:
    folder = BUNDLED_FOLDER
    if not (folder / "model_index.json").is_file():
        raise RemediableError(
            f"The model that comes with the project is not in {folder}.",
            remedy="Fetch the whole repository again, or train one with manage.py pretrain.",
        )
    return folder


def native_resolution(location: str) -> int:
    """Width and height in pixels that the model was trained at."""
    folder = folder_of(location)
    if folder is None:
        return HUB_RESOLUTION
    latent = json.loads((folder / "unet" / "config.json").read_text())["sample_size"]
    widths = json.loads((folder / "vae" / "config.json").read_text())["block_out_channels"]
    return int(latent) << (len(widths) - 1)  # every block but the last halves the side


@transaction.atomic
def promote(
    version: ModelVersion,
    *,
    kind: PromotionKind = PromotionKind.BY_HAND,
    actor: User | None = None,
    reason: str = "",
) -> Promotion | None:
    """Make this the version that new batches take unless told otherwise; None if it is already.

    Nobody asks for a gate here: people go through ``finetuning.gates.promotion``.
    """
    # Two promotions at a time take turns.
    list(ModelVersion.objects.select_for_update().values_list("pk"))
    version.refresh_from_db()
    if version.is_promoted:
        return None
    ModelVersion.objects.filter(is_promoted=True).update(is_promoted=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_promoted=True)
    version.refresh_from_db()
    return Promotion.objects.create(version=version, kind=kind, created_by=actor, reason=reason)
