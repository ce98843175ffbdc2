"""People and the audit log for admins' programs."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_app.accounts import services
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.models import AuditEvent, User
from feedback_app.accounts.requests import ChangePersonRequest, PersonRequest
from feedback_app.requests import at
from feedback_app.rest.permissions import IsAdmin
from feedback_app.rest.views import Read, Row, user_name
from generation.errors import RemediableError


class PersonSerializer(Row):
    role = serializers.CharField(source="held_role")

    class Meta:
        model = User
        fields: ClassVar = [
            "id", "username", "first_name", "last_name", "role", "is_active", "is_simulated",
            "must_change_password", "date_joined", "last_login",
        ]  # fmt: skip


class NewPersonSerializer(PersonSerializer):
    """With the temporary password, which is kept nowhere else."""

    password = serializers.CharField(source="temporary_password")

    class Meta(PersonSerializer.Meta):
        fields: ClassVar = [*PersonSerializer.Meta.fields, "password"]


class PersonFilter(FilterSet):
    class Meta:
        model = User
        fields: ClassVar = {
            "username": ["exact"],
            "role": ["exact"],
            "is_active": ["exact"],
            "is_simulated": ["exact"],
        }


class PeopleView(Read):
    """Accounts; everything that changes one is a line of the audit log."""

    queryset: QuerySet[User] = User.objects.order_by("username")
    permission_classes = [IsAdmin]
    keeps_answers = False  # a temporary password is in two of them
    lookup_url_kwarg, lookup_value_converter = "person_id", "int"
    serializer_class = PersonSerializer
    answers = dict.fromkeys(("create", "reset_password"), NewPersonSerializer)
    asks = {"create": PersonRequest, "update": ChangePersonRequest}
    filterset_class = PersonFilter
    ordering_fields = ("username", "date_joined", "last_login")

    @property
    def by(self) -> dict[str, Any]:
        return {"by": self.actor, "address": client_address(self.request)}

    def create(self, request: Request) -> Response:
        asked = self.asked(PersonRequest)
        with at("username"):
            if User.objects.filter(username=asked.username).exists():
                raise RemediableError(
                    f"There is a person {asked.username!r} already.", remedy="Choose another name."
                )
        person, password = services.add_person(**asked.model_dump(), **self.by)
        return self._with_password(person, password, code=status.HTTP_201_CREATED)

    def update(self, request: Request, person_id: int) -> Response:
        person, asked = self.get_object(), self.asked(ChangePersonRequest)
        return self.told(services.change_person(person, **asked.model_dump(), **self.by))

    @action(["post"], detail=True, url_path="reset-password")
    def reset_password(self, request: Request, person_id: int) -> Response:
        """They are logged out everywhere, and unlocked."""
        person = self.row()
        return self._with_password(person, services.reset_password(person, **self.by))

    @action(["post"], detail=True, url_path="reset-second-factor")
    def reset_second_factor(self, request: Request, person_id: int) -> Response:
        """A lost one: they log in with the password alone, until they set up another."""
        return self.told(services.reset_second_factor(self.row(), **self.by))

    @action(["post"], detail=True, url_path="forget-sign-on")
    def forget_sign_on(self, request: Request, person_id: int) -> Response:
        """Their next login by single sign-on is linked anew, by their name here."""
        return self.told(services.forget_sign_on(self.row(), **self.by))

    @action(["post"], detail=True)
    def deactivate(self, request: Request, person_id: int) -> Response:
        """The account and all that it did are kept, but nobody logs in with it."""
        return self.told(services.deactivate(self.row(), **self.by))

    @action(["post"], detail=True)
    def reactivate(self, request: Request, person_id: int) -> Response:
        return self.told(services.reactivate(self.row(), **self.by))

    def _with_password(
        self, person: User, password: str, *, code: int = status.HTTP_200_OK
    ) -> Response:
        person.temporary_password = password  # type: ignore[attr-defined]
        return self.told(person, status=code)


class AuditEventSerializer(Row):
    actor = user_name()

    class Meta:
        model = AuditEvent
        fields: ClassVar = [
            "id", "at", "actor", "action", "target", "target_id", "details", "address",
        ]  # fmt: skip


class AuditFilter(FilterSet):
    actor = CharFilter("actor__username", label="User name of who did it")

    class Meta:
        model = AuditEvent
        fields: ClassVar = {
            "action": ["exact"],
            "target": ["exact"],
            "target_id": ["exact"],
            "at": ["gte", "lte"],
        }


class AuditLogView(Read):
    """Who did what to which thing, the newest first."""

    queryset = AuditEvent.objects.select_related("actor")
    permission_classes = [IsAdmin]
    lookup_url_kwarg, lookup_value_converter = "event_id", "int"
    serializer_class = AuditEventSerializer
    filterset_class = AuditFilter
    ordering_fields = ("at",)
