"""Form fields that name what a coordinator can choose."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Scorer
from feedback_app.studies import choices


class OfferedBatches(ModelChoiceIterator):
    """Shows what its field offers; the field takes every batch, for many are not shown."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for batch in self.field.offered:  # type: ignore[attr-defined]
            yield self.choice(batch)


class BatchChoice(forms.ModelMultipleChoiceField):
    iterator = OfferedBatches

    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class OneBatchChoice(forms.ModelChoiceField):
    iterator = OfferedBatches

    def label_from_instance(self, batch: Batch) -> str:
        return batch_label(batch)


class OffersBatches(forms.Form):
    """A form whose fields ``batches`` and ``against`` offer the newest ones, and what is chosen.

    Others are found by words of their names, which another request brings.
    """

    def offer_batches(self, *, words: str = "") -> None:
        for name in {"batches", "against"} & self.fields.keys():
            value = self[name].value() or []
            chosen = value if isinstance(value, list) else [value]
            self.fields[name].offered = choices.offered_batches(  # type: ignore[attr-defined]
                words=words, chosen=[str(key) for key in chosen]
            )

    @property
    def has_more_batches(self) -> bool:
        return Batch.objects.count() > choices.OFFERED


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
