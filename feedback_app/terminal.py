"""Commands whose lines are meant to be read."""

import os

QUIET = {
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",
}


def quiet_libraries() -> None:
    """Keep progress bars and advice of the libraries away, unless the environment asks for them.

    It must come before they are imported, which happens with the handlers of runs.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
