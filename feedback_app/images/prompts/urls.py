from django.urls import path

from feedback_app.images.prompts import views as prompts

urlpatterns = [
    path("prompt-sets/", prompts.list_prompt_sets, name="prompt-sets"),
    path("prompt-sets/new/", prompts.create, name="prompt-set-new"),
    path("prompt-sets/<int:version_id>/", prompts.show_version, name="prompt-set"),
    path("prompt-sets/<int:version_id>/new/", prompts.revise, name="prompt-set-revise"),
    path("prompt-sets/<int:version_id>/prompts.txt", prompts.show_text, name="prompt-set-text"),
]
