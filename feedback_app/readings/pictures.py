"""Pictures as readers get them: 8-bit grey pixels of the study's one size, and nothing else.

Every picture goes the same way, real or synthetic: decode, turn into 8-bit grey, frame to the
study's size, write as an uncompressed PNG without metadata. So all have one number of bytes.
"""

import io
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock

import PIL.Image
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL.Image import Resampling

from feedback_app.images.models import Blob, Image
from feedback_app.readings.errors import DamagedPicture
from feedback_app.readings.framing import Framing, Size
from generation.errors import RemediableError, causes_of, is_of_surroundings
from generation.grey import to_grey

KEPT_BYTES = 64 * 1024 * 1024
ROUND_S = 0.25
"""More than decoding a large radiograph takes; a slower host answers after twice as long."""

logger = logging.getLogger(__name__)


class PictureCache:
    """It keeps the last rendered pictures of this process, up to a number of bytes.

    Not in Redis: what a thousand cases need would push out everything else there. A picture
    is wanted again within minutes, when its case is reloaded or another reader has it.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: object) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: object, content: bytes) -> None:
        with self._lock:
            self._bytes += len(content) - len(self._kept.pop(key, b""))
            self._kept[key] = content
            while self._bytes > self.limit:
                self._bytes -= len(self._kept.popitem(last=False)[1])


_cache = PictureCache(KEPT_BYTES)


def render_image(
    image: Image, size: Size, *, would_tell: Callable[[], bool] = lambda: False
) -> bytes:
    """Returns the image as a PNG of the size; raises ``DamagedPicture``.

    ``would_tell`` says whether the time of rendering could tell what the image is.
    """
    key = (image.blob_id, size, Resampling.LANCZOS)
    name = rendered_name(image, size)
    content = _cache.get(key) or _ahead_or_now(
        name, partial(_render_image, image, size), would_tell=would_tell
    )
    _cache.put(key, content)
    return content


def render_mask(mask: Blob, size: Size, *, would_tell: Callable[[], bool] = lambda: False) -> bytes:
    """Returns a mask of 0 and 255, framed like the images that it belongs to."""
    key = (mask.pk, size, Resampling.NEAREST)
    name = rendered_mask_name(mask, size)
    content = _cache.get(key) or _ahead_or_now(
        name, partial(_render_mask, mask, size), would_tell=would_tell
    )
    _cache.put(key, content)
    return content


def keep_rendered(image: Image, size: Size) -> None:
    """Render the image and store it in the form in which it is served; twice is no harm."""
    _keep(rendered_name(image, size), partial(_render_image, image, size))


def keep_rendered_mask(mask: Blob, size: Size) -> None:
    _keep(rendered_mask_name(mask, size), partial(_render_mask, mask, size))


def _keep(name: str, render: Callable[[], bytes]) -> None:
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(render()))


def _ahead_or_now(
    name: str, render: Callable[[], bytes], *, would_tell: Callable[[], bool]
) -> bytes:
    """Returns what was rendered ahead; where it is gone, what is rendered now.

    Then the answer takes a round time, whatever the picture is, and what was gone is put back.
    """
    began = time.monotonic()
    if (content := _read_rendered(name)) is not None:
        return content
    content = render()
    if would_tell():
        try:
            default_storage.save(name, ContentFile(content))
        except (OSError, RemediableError):
            logger.exception("%s cannot be kept", name)
        time.sleep((began - time.monotonic()) % ROUND_S)
    return content


def _read_rendered(name: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None
    except (OSError, RemediableError) as error:
        raise _away_or_damaged(error) from error


def rendered_name(image: Image, size: Size) -> str:
    """Derived files: the folder may be emptied at any time."""
    return f"{_served(image.blob_id)}/{image.blob_id}-{size.width}x{size.height}.png"


def rendered_mask_name(mask: Blob, size: Size) -> str:
    return f"{_served(mask.pk)}/{mask.pk}-mask-{size.width}x{size.height}.png"


def rendered_names(blob: Blob) -> list[str]:
    """Returns the names of what was rendered ahead of a picture, at whatever size."""
    try:
        names = default_storage.listdir(_served(blob.pk))[1]
    except FileNotFoundError:
        return []
    return [f"{_served(blob.pk)}/{name}" for name in names if name.startswith(blob.pk)]


def _served(sha256: str) -> str:
    return f"served/{sha256[:2]}"


def _render_image(image: Image, size: Size) -> bytes:
    stored = Size(width=image.width, height=image.height)
    return _render(image.blob, stored=stored, size=size, resample=Resampling.LANCZOS)


def _render_mask(mask: Blob, size: Size) -> bytes:
    return _render(mask, stored=None, size=size, resample=Resampling.NEAREST)


def _render(blob: Blob, *, stored: Size | None, size: Size, resample: Resampling) -> bytes:
    try:
        return _encode(_frame(_decode(blob), stored=stored, size=size, resample=resample))
    except (OSError, ValueError, SyntaxError, RemediableError) as error:
        logger.exception("blob %s cannot be shown", blob.pk)
        raise _away_or_damaged(error) from error


def _away_or_damaged(error: Exception) -> DamagedPicture:
    """Nobody is to skip a case because the storage was away for a minute."""
    if any(is_of_surroundings(cause) for cause in causes_of(error)):
        return DamagedPicture(
            "The storage of the pictures does not answer now.", remedy="Try again in a moment."
        )
    return DamagedPicture(
        "The stored file of this picture is missing or damaged.",
        remedy="Tell your coordinator; you may skip the case until it is put back.",
    )


def _decode(blob: Blob) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(blob.read()), formats=["PNG", "JPEG"])
    picture.load()
    return to_grey(picture)


def _frame(
    picture: PIL.Image.Image, *, stored: Size | None, size: Size, resample: Resampling
) -> PIL.Image.Image:
    actual = Size(*picture.size)
    if stored is not None and actual != stored:
        raise ValueError(f"the file has {actual}, its row says {stored}")
    return Framing.of(actual, size).apply(picture, resample)


def _encode(picture: PIL.Image.Image) -> bytes:
    bare = PIL.Image.frombytes("L", picture.size, picture.tobytes())
    buffer = io.BytesIO()
    bare.save(buffer, format="PNG", compress_level=0)
    return buffer.getvalue()
