from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.http import HttpRequest

from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import Role, User
from feedback_app.accounts.services import is_last_admin


class AccountForm(UserChangeForm):
    """Says what the rest of the site holds: a superuser is an admin, and one admin stays."""

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        is_super, role = told.get("is_superuser"), told.get("role")
        if is_super and role != Role.ADMIN and "role" in self.changed_data:
            raise forms.ValidationError(
                "A superuser has the role of an admin, whatever stands here: "
                "take the superuser status away too, or leave the role."
            )
        stays = told.get("is_active") and (is_super or role == Role.ADMIN)
        if not stays and is_last_admin(User.objects.get(pk=self.instance.pk)):
            raise forms.ValidationError("This is the last admin: make somebody else one first.")
        return told


@admin.register(User)
class ReadingRoomUserAdmin(UserAdmin):
    form = AccountForm
    list_display = ("username", "first_name", "last_name", "role", "is_simulated", "is_active")
    list_filter = ("role", "is_simulated", "is_active")
    readonly_fields = ("is_simulated",)
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("Reading Room", {"fields": ("role", "must_change_password", "is_simulated")}),
    )
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Reading Room", {"fields": ("role",)}))

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        self._audit("user.added", request, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        self._audit("user.changed", request, obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for person in queryset:
            self._audit("user.deleted", request, person, "")
        return super().log_deletions(request, queryset)

    @staticmethod
    def _audit(action: str, request: HttpRequest, person: User, message: Any) -> None:
        record(
            action,
            actor=request.user,  # type: ignore[arg-type]
            target=person.username,
            target_id=person.pk,
            details={"in_django_admin": message},
            address=client_address(request),
        )
