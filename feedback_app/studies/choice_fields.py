"""Form fields that name what a coordinator can choose."""

from django import forms

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Scorer


class BatchChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class OneBatchChoice(forms.ModelChoiceField):
    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class RewardModelChoice(forms.ModelChoiceField):
    def label_from_instance(self, reward_model: Scorer) -> str:
        return f"{reward_model} · {reward_model.headline}"


class ReaderChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, reader: User) -> str:
        return reader.display_name


class OneReaderChoice(forms.ModelChoiceField):
    def label_from_instance(self, reader: User) -> str:
        return reader.display_name


def batch_label(batch: Batch) -> str:
    return (
        f"{batch.name} · {batch.model_version} · "
        f"{batch.made} of {batch.asked} images of {batch.prompts} prompts"  # type: ignore[attr-defined]
    )
