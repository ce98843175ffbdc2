"""Model versions: registering weights under a name, and promoting one."""

from pathlib import Path

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.versions.folders import (
    CONTROL_NET,
    folder_of,
    has_control_net,
    hash_adapter,
    hash_model,
    hash_weights_alone,
    keep_weights,
)
from feedback_app.images.versions.inspection import (
    check_resolution,
    inspect_control_net,
    inspect_model,
    native_resolution,
)
from feedback_app.images.versions.models import ModelVersion, Promotion, PromotionKind
from generation.errors import RemediableError
from generation.specs import BUNDLED

BUNDLED_NAME = "bundled"
HUB_RESOLUTION = 512
NAME_MAX = 100


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
    A child is taught by simulated readers where its parent is. Raises RemediableError where
    the weights could not be loaded, or are not all there.
    """
    check_name(name)
    folder = folder_of(location)
    if folder is not None and parent is None:
        inspect_model(folder)
    elif folder is not None and (folder / CONTROL_NET / "config.json").is_file():
        inspect_control_net(folder / CONTROL_NET)
    sha256 = hash_model(location) if parent is None else hash_adapter(location)
    if folder is not None and location != BUNDLED:
        location = keep_weights(folder, sha256=sha256)
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
        resolution=_resolution(resolution, parent=parent, folder=folder),
        created_by=created_by,
    )
    if not ModelVersion.objects.filter(is_promoted=True).exists():
        promote(version, kind=PromotionKind.FIRST, actor=created_by)
    return version


def check_name(name: str) -> None:
    """Refuses what no version can be called."""
    if not name.strip() or len(name) > NAME_MAX or "\0" in name:
        raise RemediableError(
            "A model version's name has 1 to 100 characters.", remedy="Choose another name."
        )


def _resolution(asked: int | None, *, parent: ModelVersion | None, folder: Path | None) -> int:
    if asked is not None:
        return check_resolution(asked)
    if parent is not None:
        return parent.resolution
    return HUB_RESOLUTION if folder is None else native_resolution(folder)


def require_free_name(name: str) -> None:
    if ModelVersion.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a model version “{name}” already.", remedy="Choose another name."
        )


def find_version(name: str) -> ModelVersion:
    """Returns the model version of this name; without a name, the promoted one."""
    versions = ModelVersion.objects.all()
    found = versions.filter(name=name) if name else versions.filter(is_promoted=True)
    version = found.first()
    if version is None and name:
        names = ", ".join(versions.values_list("name", flat=True)) or "none"
        raise RemediableError(
            f"There is no model version {name!r}.", remedy=f"Registered: {names}."
        )
    if version is None:
        raise RemediableError(
            "No model version is promoted.",
            remedy="Name one; manage.py register_model registers it where there is none.",
        )
    return version


@transaction.atomic
def register_bundled() -> ModelVersion:
    """Returns the model that comes with the project.

    One that came with an earlier release stays, for the candidates that it made, and hands
    its promotion on: its weights are no longer there.
    """
    sha256 = hash_model(BUNDLED)
    releases = ModelVersion.objects.filter(location=BUNDLED)
    known = releases.filter(sha256__in=[sha256, hash_weights_alone(BUNDLED)]).first()
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
        if not _has_weights_of(ancestor):
            raise RemediableError(
                f"The weights of “{ancestor.name}” are no longer those that were registered.",
                remedy=f"Put them back into {ancestor.location}, or use another version.",
            )


def _has_weights_of(version: ModelVersion) -> bool:
    if version.parent is not None:
        return hash_adapter(version.location) == version.sha256
    hashes = (hash_model, hash_weights_alone)  # by the second, versions of earlier releases
    return any(hash_of(version.location) == version.sha256 for hash_of in hashes)


def _same(
    known: ModelVersion, *, location: str, sha256: str, parent: ModelVersion | None
) -> ModelVersion:
    is_known = known.sha256 == sha256 or (
        parent is None and known.sha256 == hash_weights_alone(location)
    )
    if not is_known or known.parent != parent:
        raise RemediableError(
            f"There is a model version “{known.name}” already, with other weights.",
            remedy="Give this one another name.",
        )
    if known.location != location:  # the same weights, in another place now
        known.location = location
        known.save(update_fields=["location"])
    return known


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
