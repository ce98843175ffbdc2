"""The list of people, for admins only."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters import ChoiceFilter
from django_tables2 import Table

from feedback_app.accounts import services, throttle
from feedback_app.accounts.access import admins_only
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import Role, User
from feedback_app.lists.actions import Action, each
from feedback_app.lists.filters import ListFilter, WordsFilter
from feedback_app.lists.pages import ListPage
from feedback_app.lists.tables import NUMBER, CellColumn

ACCOUNTS = {
    "active": {"is_active": True, "is_simulated": False},
    "deactivated": {"is_active": False},
    "simulated": {"is_simulated": True},
}


class PersonFilter(ListFilter):
    words = WordsFilter("first_name", "last_name", "username", label="Name")
    role = ChoiceFilter(choices=Role.choices, empty_label="Any", label="Role")
    account = ChoiceFilter(
        choices=[(name, name.capitalize()) for name in ACCOUNTS],
        method="of_account",
        empty_label="Any",
        label="Account",
    )

    def of_account(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(**ACCOUNTS[value])


class PersonTable(Table):
    name = CellColumn(
        "accounts/cells/name.html", verbose_name="Person", order_by=("last_name", "username")
    )
    username = CellColumn(
        "accounts/cells/login.html", verbose_name="Logs in as", attrs={"td": {"class": "mono"}}
    )
    role = CellColumn("accounts/cells/role.html")
    is_active = CellColumn("accounts/cells/state.html", verbose_name="Account")
    last_login = CellColumn("accounts/cells/last_login.html", attrs=NUMBER)


class PersonList(ListPage):
    listing = section = "people"
    title = "People"
    intro = "Who can log in, and what each of them may do."
    of_one, of_many = "person", "people"
    template_name = "accounts/people.html"
    filterset_class = PersonFilter
    table_class: ClassVar[type[Table] | None] = PersonTable

    def rows(self) -> "QuerySet[Any]":
        return User.objects.order_by("-is_active", "is_simulated", "username")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"locks": throttle.current_locks()}

    def actions(self) -> Sequence[Action]:
        return (
            Action(
                slug="deactivate",
                label="Deactivate",
                act=each(_deactivate, done="{} can no longer log in."),
                confirm="Deactivate the ticked accounts? They are logged out at once.",
            ),
            Action(
                slug="reactivate",
                label="Reactivate",
                act=each(_reactivate, done="{} can log in again."),
            ),
        )


def _deactivate(request: HttpRequest, person: User) -> object:
    return services.deactivate(person, by=request.user, address=client_address(request))  # type: ignore[arg-type]


def _reactivate(request: HttpRequest, person: User) -> object:
    return services.reactivate(person, by=request.user, address=client_address(request))  # type: ignore[arg-type]


list_people = admins_only(PersonList.as_view())
