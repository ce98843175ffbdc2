"""Single-file checkpoints: a run converts one, and registers the folder that comes of it."""

from pathlib import Path

from feedback_app.accounts.models import User
from feedback_app.images.versions import services as versions
from feedback_app.images.versions.folders import folder_named, folder_of, location_of, path_of
from feedback_app.images.versions.inspection import (
    check_resolution,
    inspect_settings,
    read_header,
    require_no_substitute,
)
from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.requests import VersionRequest
from feedback_app.images.versions.run_folders import run_folder_with
from feedback_app.requests import at
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.specs import (
    CHECKPOINT_SUFFIXES,
    ConversionSpec,
    require_family,
)

KIND = "convert_checkpoint"
METHOD = "converted"
NO_CONFIG_REMEDY = (
    "Name a folder in the diffusers format of the same model as its configuration: its "
    "model_index.json, the config.json of each part, the scheduler and the tokenizer; weights "
    "are not needed. For Stable Diffusion 1.5 it is what “hf download "
    "stable-diffusion-v1-5/stable-diffusion-v1-5 --include '*.json' '*.txt' --local-dir FOLDER” "
    "fetches."
)


def ask_for_version(
    request: VersionRequest, *, created_by: User | None = None
) -> ModelVersion | Run:
    """Registers the weights that somebody names, or starts the run that converts and does."""
    if is_checkpoint(request.location):
        return start_conversion(
            request.name,
            Path(request.location).expanduser(),
            config=request.config,
            resolution=request.resolution,
            created_by=created_by,
        )
    if request.config and folder_of(request.location):
        with at("config"):
            raise RemediableError(
                f"{request.location} has its own configuration.",
                remedy="Leave the configuration out: it is for single-file checkpoints.",
            )
    return versions.register(
        request.name, request.location, resolution=request.resolution, created_by=created_by
    )


def is_checkpoint(location: str) -> bool:
    try:
        path = Path(location).expanduser()
        return path.suffix in CHECKPOINT_SUFFIXES and path.is_file()
    except (OSError, RuntimeError, ValueError):
        return False  # a place that cannot be; folder_of() says so


def start_conversion(
    name: str,
    checkpoint: Path,
    *,
    config: str,
    resolution: int | None = None,
    created_by: User | None = None,
) -> Run:
    """Queue the conversion; what can be seen without torch is refused at once.

    Raises RemediableError where the configuration is missing or of another family, where the
    file is not whole, or, of a safetensors file, where it is of another family.
    """
    versions.check_name(name)
    versions.require_free_name(name)
    if resolution is not None:
        check_resolution(resolution)
    require_no_substitute(checkpoint)
    if checkpoint.suffix == ".safetensors":
        header = read_header(checkpoint)
        shapes = {key: entry["shape"] for key, entry in header.items() if key != "__metadata__"}
        require_family(shapes, name=checkpoint.name)
    with at("config"):
        folder = _config_folder(config, checkpoint=checkpoint)
    run_dir = run_folder_with(
        ConversionSpec(checkpoint=str(checkpoint.resolve()), config=str(folder.resolve()))
    )
    return runs.start(
        KIND,
        title=f"Convert {checkpoint.name}"[:200],
        spec={"run_dir": location_of(run_dir), "name": name, "resolution": resolution},
        created_by=created_by,
    )


def _config_folder(config: str, *, checkpoint: Path) -> Path:
    if not config:
        raise RemediableError(
            f"{checkpoint.name} is a single file, which holds weights and no configuration.",
            remedy=NO_CONFIG_REMEDY,
        )
    folder = folder_named(config)
    if folder is None:
        raise RemediableError(f"There is no folder {config!r}.", remedy=NO_CONFIG_REMEDY)
    inspect_settings(folder)
    return folder


def register_converted(run: Run) -> ModelVersion:
    """Register what a finished conversion has left in its run folder; twice changes nothing."""
    return versions.register(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        resolution=run.spec["resolution"],
        method=METHOD,
        created_by=run.created_by,
    )
