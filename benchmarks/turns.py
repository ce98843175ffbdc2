"""What a reading costs the web processes by session and by token, with single sign-on and without.

The same readers read one pool without a pause, in turns of some seconds at servers that differ
in their settings alone, so that whatever else the machine does meets all of them. A ratio is
that of one round to the round by a plain session just before it, and of these the median.

``python -m benchmarks turns``
"""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.claims import cpu_s, in_own_servers, main, read_for, web_server
from benchmarks.rows import Row

if TYPE_CHECKING:
    import psutil

    from benchmarks.readers import Reader

CASES = 20_000
READERS = 8
ROUNDS = int(os.environ.get("TURNS_ROUNDS", "5"))
ROUND_S = float(os.environ.get("TURNS_ROUND_S", "8"))
SINGLE_SIGN_ON = {
    "OIDC_ISSUER": "https://login.example.org",
    "OIDC_CLIENT_ID": "reading-room",
    "OIDC_CLIENT_SECRET": "secret",
    "SECOND_FACTOR_ROLES": "coordinator,admin",
}
BASE = "session"


def run() -> list[Row]:
    return in_own_servers("benchmarks.turns")


def measure() -> list[Row]:
    """In a process whose environment names the servers."""
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.pool import write_people, write_pool
    from benchmarks.readers import Reader
    from feedback_app.accounts.requests import TokenRequest
    from feedback_app.accounts.tokens import make_token

    call_command("migrate", verbosity=0)
    users = write_people(READERS)
    study = write_pool(users, cases=CASES, overlap=2)
    asked = TokenRequest(name="turns", role="reader")
    tokens = [make_token(asked, owner=user, by=user)[1] for user in users]
    costs: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as servers:
        plain, web = servers.enter_context(web_server())
        signing_on, other = servers.enter_context(web_server(**SINGLE_SIGN_ON))
        ways = {
            BASE: ([Reader(user, port=plain) for user in users], web),
            "single_sign_on": ([Reader(user, port=signing_on) for user in users], other),
            "token": (
                [
                    Reader(user, port=signing_on, token=token)
                    for user, token in zip(users, tokens, strict=True)
                ],
                other,
            ),
        }
        for number in range(ROUNDS + 1):
            for way, (readers, process) in ways.items():
                cost = _cost_ms(readers, process, study.pk)
                if number:  # the first round loads modules
                    costs[way].append(cost)
                print(f"round {number} {way:<16} {cost:6.1f} ms a reading", flush=True)
    return [_row(way, costs) for way in ways]


def _cost_ms(readers: Sequence["Reader"], web: "psutil.Process", study: object) -> float:
    before = sum(len(reader.acknowledged) for reader in readers)
    used_s = cpu_s(web)
    read_for(readers, study, for_s=ROUND_S, every_s=0)
    read = sum(len(reader.acknowledged) for reader in readers) - before
    return 1_000 * (cpu_s(web) - used_s) / read


def _row(way: str, costs: dict[str, list[float]]) -> Row:
    ratios = [one / base for one, base in zip(costs[way], costs[BASE], strict=True)]
    return Row(
        name=f"turn_by_{way}_cpu_ms",
        value=round(median(costs[way]), 1),
        unit="ms a reading",
        baseline=None if way == BASE else round(median(costs[BASE]), 1),
        ratio=None if way == BASE else round(median(ratios), 3),
    )


if __name__ == "__main__":
    main(sys.argv[1:], measure)
