"""How many examples each property is tried on; few in the suite, and always the same."""

import os

EXAMPLES = int(os.environ.get("CASES_EXAMPLES", "60"))
