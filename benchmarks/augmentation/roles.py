"""Who of a source has which part in an experiment: drawn by name, the same on every machine."""

import hashlib
from collections.abc import Mapping
from typing import Literal

Role = Literal["test", "validation", "arms", "generator"]


def role_of(patient: str, *, source: str, shares: Mapping[Role, float]) -> Role:
    """Returns the role of a patient; each has its share of all patients, the generator what is
    left.
    """
    digest = hashlib.sha256(f"{source} roles:{patient}".encode()).digest()
    position, passed = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for role, share in shares.items():
        passed += share
        if position < passed:
            return role
    return "generator"
