"""Splits by patient, fixed by a hash: the same in every later step, for every importer."""

import hashlib

from generation.specs import Split

TRAIN_SHARE = 0.8
VALIDATION_SHARE = 0.1


def split_of(key: str, *, cohort: str) -> Split:
    """Returns the split of a patient (or other group) of a cohort, by its key as the source
    writes it.
    """
    digest = hashlib.sha256(f"{cohort}:{key}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < TRAIN_SHARE:
        return "train"
    if position < TRAIN_SHARE + VALIDATION_SHARE:
        return "validation"
    return "test"
