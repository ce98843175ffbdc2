"""The part of the table of access about people: logins, accounts, notices and webhooks."""

from tests.access_lines import (
    ADMINS,
    ADMINS_BY_API,
    LOGGED_IN,
    LOGGED_IN_BY_API,
    Line,
    answers,
    does,
    get,
    post,
)
from tests.world import COHORT

NOBODYS = "00000000-0000-4000-8000-000000000000"
"""No row has this key."""

PEOPLE: dict[str, Line] = {
    # Accounts
    "accounts:login": get(answers(200, 302, 302, 302, 302, 302)),
    "accounts:logout": post(answers(302, 302, 302, 302, 302, 302)),
    "accounts:password": get(LOGGED_IN),
    "admin/password_change/": get(does(LOGGED_IN)),
    "admin/login/": get(answers(302, 302, 302, 302, 302, 302)),
    "accounts:code": get(answers(302, 302, 302, 302, 302, 302)),
    "accounts:sign-on": get(answers(404, 404, 404, 404, 404, 404)),  # there is none by default
    "accounts:sign-on-return": get(answers(404, 404, 404, 404, 404, 404)),
    "accounts:second-factor": get(LOGGED_IN),
    "accounts:session": get(answers(401, 200, 200, 200, 200, 200)),
    "accounts:tokens": get(LOGGED_IN),
    "accounts:revoke-token": post(answers(302, 404, 404, 404, 404, 404), lambda _: [NOBODYS]),
    "webhooks:list": get(ADMINS),
    "webhooks:webhook": get(does(ADMINS, 404), lambda _: [0]),
    "webhooks:stop": post(does(ADMINS, 404), lambda _: [0]),
    "webhooks:resume": post(does(ADMINS, 404), lambda _: [0]),
    "webhooks:add": get(ADMINS),
    "webhooks:remove": post(does(ADMINS, 404), lambda _: [0]),
    "api:webhooks": get(ADMINS_BY_API),
    "api:webhook": get(does(ADMINS_BY_API, 404), lambda _: [0]),
    "api:webhook-stop": post(does(ADMINS_BY_API, 404), lambda _: [0]),
    "api:webhook-resume": post(does(ADMINS_BY_API, 404), lambda _: [0]),
    "api:deliveries": get(ADMINS_BY_API),
    "api:delivery": get(does(ADMINS_BY_API, 404), lambda _: [NOBODYS]),
    "api:delivery-resend": post(does(ADMINS_BY_API, 404), lambda _: [NOBODYS]),
    "accounts:people": get(ADMINS),
    "accounts:add_person": get(ADMINS),
    "accounts:unlock": post(does(ADMINS)),
    "accounts:person": get(ADMINS, lambda world: [world.slot.reader_id]),
    "accounts:reset_password": post(ADMINS, lambda world: [world.slot.reader_id]),
    "accounts:reset-second-factor": post(does(ADMINS), lambda world: [world.slot.reader_id]),
    "accounts:forget-sign-on": post(does(ADMINS), lambda world: [world.slot.reader_id]),
    "accounts:deactivate": post(does(ADMINS), lambda world: [world.slot.reader_id]),
    "accounts:reactivate": post(does(ADMINS), lambda world: [world.slot.reader_id]),
    "accounts:audit": get(ADMINS),
    "accounts:audit_csv": get(ADMINS),
    "api:people": get(ADMINS_BY_API),
    "api:person": get(ADMINS_BY_API, lambda world: [world.slot.reader_id]),
    "api:person-reset-password": post(ADMINS_BY_API, lambda world: [world.slot.reader_id]),
    "api:person-reset-second-factor": post(
        does(ADMINS_BY_API, 400), lambda world: [world.slot.reader_id]
    ),
    "api:person-forget-sign-on": post(
        does(ADMINS_BY_API, 400), lambda world: [world.slot.reader_id]
    ),
    "api:person-deactivate": post(ADMINS_BY_API, lambda world: [world.slot.reader_id]),
    "api:person-reactivate": post(ADMINS_BY_API, lambda world: [world.slot.reader_id]),
    "operations:erase-person": get(ADMINS, lambda world: [world.slot.reader_id]),
    "operations:erase-cohort": get(ADMINS, lambda _: [COHORT]),
    "api:erasures": get(ADMINS_BY_API),
    "api:erasure": get(does(ADMINS_BY_API, 404), lambda _: [0]),
    "api:audit-log": get(ADMINS_BY_API),
    "api:audit-event": get(does(ADMINS_BY_API, 404), lambda _: [0]),
    # Notices
    "notices:list": get(LOGGED_IN),
    "notices:count": get(LOGGED_IN),
    "notices:mark-read": post(does(LOGGED_IN)),
    "api:notices": get(LOGGED_IN_BY_API),
    "api:notice-mark-read": post(LOGGED_IN_BY_API),
    "api:notice-ways": get(LOGGED_IN_BY_API),
    "api:notice-choose": post(LOGGED_IN_BY_API),
}
