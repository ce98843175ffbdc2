"""The manifest of an archive: what it was made of, and the SHA-256 sum of every other file."""

import json
from collections.abc import Mapping

MANIFEST = "manifest.json"


def write_manifest(
    about: Mapping[str, object],
    *,
    files: Mapping[str, Mapping[str, object]],
    replaced: Mapping[str, str] | None = None,
) -> bytes:
    """``replaced`` says which export this one is made instead of, where there is one."""
    content: dict[str, object] = {**about, "files": dict(sorted(files.items()))}
    if replaced is not None:
        content["replaces"] = dict(replaced)
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
