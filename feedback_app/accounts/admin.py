from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from feedback_app.accounts.models import User


@admin.register(User)
class ReadingRoomUserAdmin(UserAdmin):
    list_display = ("username", "first_name", "last_name", "role", "is_simulated", "is_active")
    list_filter = ("role", "is_simulated", "is_active")
    readonly_fields = ("is_simulated",)
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("Reading Room", {"fields": ("role", "is_simulated")}),
    )
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Reading Room", {"fields": ("role",)}))
