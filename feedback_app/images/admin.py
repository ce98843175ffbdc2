"""Images in the admin: to look at; the services make them, and nothing changes them."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from feedback_app.images.candidates.models import Batch, Candidate
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.versions.models import ModelVersion


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "parent", "method", "is_promoted", "taught_by_simulated_readers"]
    list_select_related = ["parent"]
    search_fields = ["name", "sha256"]


@admin.register(Cohort)
class CohortAdmin(ReadOnlyAdmin):
    list_display = ["name", "source", "created_at"]
    search_fields = ["name"]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["name", "model_version", "created_by", "created_at"]
    list_select_related = ["model_version", "created_by"]
    search_fields = ["name", "id"]


@admin.register(Candidate)
class CandidateAdmin(ReadOnlyAdmin):
    list_display = ["image", "recipe", "created_at"]
    search_fields = ["recipe__prompt", "recipe__key"]
    raw_id_fields = ["image", "recipe", "run"]
