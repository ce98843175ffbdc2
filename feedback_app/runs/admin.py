"""Runs in the admin: to look at, not to change; the services change them."""

from django.contrib import admin
from django.http import HttpRequest

from feedback_app.runs.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    list_display = ["title", "kind", "queue", "state", "attempt", "crashes", "created_at"]
    list_filter = ["state", "kind", "queue"]
    search_fields = ["title", "id"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False
