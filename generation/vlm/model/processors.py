"""Processors of VLMs, for pictures alone: those for videos need torchvision, which is not there."""

from pathlib import Path
from typing import Any

from transformers import (
    AutoImageProcessor,
    AutoProcessor,
    AutoTokenizer,
    Qwen2_5_VLProcessor,
    Qwen2VLProcessor,
)


class _OfPicturesAlone:
    """A processor that does without its part for videos."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        if argument_name == "video_processor":
            return None
        return super().check_argument_for_proper_class(argument_name, argument)  # type: ignore[misc]

    def save_pretrained(self, folder: Any, **options: Any) -> None:
        """Each part for itself, as the folders lie that such processors are loaded from."""
        self.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
        self.image_processor.save_pretrained(folder)  # type: ignore[attr-defined]


class Qwen2OfPictures(_OfPicturesAlone, Qwen2VLProcessor):
    """Qwen2-VL's."""


class Qwen2_5OfPictures(_OfPicturesAlone, Qwen2_5_VLProcessor):  # noqa: N801  # as the library
    """Qwen2.5-VL's."""


WITH_VIDEOS = {"qwen2_vl": Qwen2OfPictures, "qwen2_5_vl": Qwen2_5OfPictures}


def load_processor(folder: Path, config: dict[str, Any]) -> Any:
    """Returns what prepares pictures and text; no code of the folder is run."""
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    kind = WITH_VIDEOS.get(config["model_type"])
    if kind is None:
        return AutoProcessor.from_pretrained(folder, backend="pil", **options)
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    return kind(
        image_processor=AutoImageProcessor.from_pretrained(folder, backend="pil", **options),
        tokenizer=tokenizer,
        video_processor=None,
        chat_template=tokenizer.chat_template,
    )
