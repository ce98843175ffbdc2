"""Pictures as readers get them: the pixels, and nothing else."""

import io

import PIL.Image

from feedback_app.images.models import Image

LOSSLESS_MODES = frozenset({"L", "RGB"})


def render_png(image: Image) -> bytes:
    """An uncompressed PNG of the very pixels, without any metadata of the stored file.

    Every picture of a size has the same number of bytes, so that their count tells nothing.
    """
    picture = PIL.Image.open(io.BytesIO(image.blob.read()), formats=["PNG", "JPEG"])
    if picture.mode not in LOSSLESS_MODES:
        raise ValueError(f"Image {image.pk} has the mode {picture.mode}, not 8-bit grey or RGB.")
    bare = PIL.Image.frombytes(picture.mode, picture.size, picture.tobytes())
    buffer = io.BytesIO()
    bare.save(buffer, format="PNG", compress_level=0)
    return buffer.getvalue()
