"""Perceptual hashes that tell whether two pictures are one, whatever their size and encoding."""

import imagehash
import numpy as np
import PIL.Image

from generation.grey import to_grey

HASH_SIDE = 16
HASH_BYTES = HASH_SIDE * HASH_SIDE // 8
REDUCED_PX = 256
"""Hashes look at 64 x 64 pixels: what is larger is halved before."""
MAX_DISTANCE = 24
MIN_CONTRAST = 4.0
"""The standard deviation in grey levels below which a picture shows nothing to compare."""

Words = np.ndarray
"""N x 4 of uint64: one row a picture."""


def fingerprint(picture: PIL.Image.Image) -> bytes:
    """Returns 256 bits of a DCT of 64 x 64 pixels; empty where the picture shows nothing."""
    grey = to_grey(picture)
    small = grey.reduce(max(1, min(grey.size) // REDUCED_PX))
    if np.asarray(small).std() < MIN_CONTRAST:
        return b""
    return np.packbits(imagehash.phash(small, hash_size=HASH_SIDE).hash).tobytes()


def as_words(bits: list[bytes]) -> Words:
    """Fingerprints, none of them empty, as N x 4 words."""
    content = np.array([list(one) for one in bits], dtype=np.uint8).reshape(-1, HASH_BYTES)
    return content.view(np.uint64)


def distances(one: Words, many: Words) -> np.ndarray:
    """In how many bits a fingerprint of 4 words differs from each of N x 4."""
    return np.bitwise_count(one ^ many).sum(axis=1)
