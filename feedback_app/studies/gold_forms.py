"""Known answers of one case: expected scores of each image, or the better of two."""

from collections.abc import Iterator
from typing import Any

from django import forms

from feedback_app.images.models import Image
from feedback_app.studies.models import Case, Criterion, CriterionKind
from feedback_app.studies.services import KnownAnswer


class GoldForm(forms.Form):
    """Left empty, an answer is not known; with none at all the case is ordinary again."""

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.images = [place.image for place in case.case_images.select_related("image")]
        self.criteria = list(case.study.criteria.all())
        stored = {
            (answer.criterion_id, answer.image_id): answer for answer in case.gold_answers.all()
        }
        for criterion in self.criteria:
            if criterion.kind == CriterionKind.COMPARISON:
                known = [image for image in self.images if (criterion.pk, image.pk) in stored]
                self._add_choice(criterion, better=known[0] if known else None)
                continue
            for place, image in enumerate(self.images):
                answer = stored.get((criterion.pk, image.pk))
                for end in ("least", "most"):
                    self.fields[f"{criterion.slug}_{place}_{end}"] = forms.TypedChoiceField(
                        choices=[("", "–"), *enumerate(criterion.anchors)],
                        coerce=int,
                        empty_value=None,
                        required=False,
                        label=f"{criterion.name}, image {place + 1}, {end}",
                        initial=getattr(answer, end) if answer else "",
                    )

    def _add_choice(self, criterion: Criterion, *, better: Image | None) -> None:
        self.fields[f"{criterion.slug}_better"] = forms.TypedChoiceField(
            choices=[
                ("", "not known"),
                *((place, f"image {place + 1}") for place in range(len(self.images))),
            ],
            coerce=int,
            empty_value=None,
            required=False,
            label=f"{criterion.name}: better is",
            initial=self.images.index(better) if better else "",
        )

    def rows(self) -> Iterator[tuple[Criterion, list[forms.BoundField]]]:
        for criterion in self.criteria:
            names = [name for name in self.fields if name.startswith(f"{criterion.slug}_")]
            yield criterion, [self[name] for name in names]

    def answers(self) -> list[KnownAnswer]:
        data, answers = self.cleaned_data, []
        for criterion in self.criteria:
            if criterion.kind == CriterionKind.COMPARISON:
                place = data[f"{criterion.slug}_better"]
                if place is not None:
                    answers.append(KnownAnswer(criterion, self.images[place]))
                continue
            for place, image in enumerate(self.images):
                least = data[f"{criterion.slug}_{place}_least"]
                most = data[f"{criterion.slug}_{place}_most"]
                if least is not None or most is not None:
                    answers.append(KnownAnswer(criterion, image, least=least, most=most))
        return answers
