"""Known answers of one case: expected scores of each image, or the better of two."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms

from feedback_app.images.models import Image
from feedback_app.studies.drafting import TEXT_MAX
from feedback_app.studies.models import Case, Criterion, CriterionKind
from feedback_app.studies.services import KnownAnswer, known_answers_of
from feedback_app.text import as_kept

ENDS = {"least": "at least", "most": "at most"}


class AnswersForm(forms.Form):
    """Expected answers to some images; what is left empty is not known."""

    def __init__(
        self,
        *args: Any,
        images: Sequence[Image],
        criteria: Sequence[Criterion],
        known: Sequence[KnownAnswer],
        texts: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.texts = list(texts)
        self.images = list(images)
        self.criteria = list(criteria)
        stored = {(answer.criterion.pk, answer.image.pk): answer for answer in known}
        for criterion in self.criteria:
            if criterion.is_of_reports:
                self._add_of_reports(criterion, stored.get((criterion.pk, self.images[0].pk)))
                continue
            if criterion.kind == CriterionKind.COMPARISON:
                better = [image for image in self.images if (criterion.pk, image.pk) in stored]
                self._add_choice(criterion, better=better[0] if better else None)
                continue
            for place, image in enumerate(self.images):
                answer = stored.get((criterion.pk, image.pk))
                for end in ("least", "most"):
                    self.fields[f"{criterion.slug}_{place}_{end}"] = forms.TypedChoiceField(
                        choices=[("", "–"), *enumerate(criterion.anchors)],
                        coerce=int,
                        empty_value=None,
                        required=False,
                        label=self._named(place, ENDS[end]),
                        initial=getattr(answer, end) if answer else "",
                    )

    def _named(self, place: int, end: str) -> str:
        return f"Image {place + 1}, {end}" if len(self.images) > 1 else end.capitalize()

    def _add_choice(self, criterion: Criterion, *, better: Image | None) -> None:
        self.fields[f"{criterion.slug}_better"] = forms.TypedChoiceField(
            choices=[
                ("", "not known"),
                *((place, f"image {place + 1}") for place in range(len(self.images))),
            ],
            coerce=int,
            empty_value=None,
            required=False,
            label="Better is",
            initial=self.images.index(better) if better else "",
        )

    def _add_of_reports(self, criterion: Criterion, known: KnownAnswer | None) -> None:
        if criterion.kind == CriterionKind.REPORT:
            self.fields[f"{criterion.slug}_text"] = forms.CharField(
                required=False,
                max_length=TEXT_MAX,
                widget=forms.Textarea(attrs={"rows": 6}),
                label="Reference report",
                help_text="Each finding that it says is there or is not is an answer; "
                "a reader’s report is compared with it by the rule parser.",
                initial=known.text if known else "",
            )
            return
        self.fields[f"{criterion.slug}_sign"] = forms.TypedChoiceField(
            choices=[("", "not known"), (1, "report 1"), (-1, "report 2"), (0, "neither")],
            coerce=int,
            empty_value=None,
            required=False,
            label=f"{criterion.name}: better is",
            initial="" if known is None else known.sign,
        )

    def rows(self) -> Iterator[tuple[Criterion, list[forms.BoundField]]]:
        for criterion in self.criteria:
            names = [name for name in self.fields if name.startswith(f"{criterion.slug}_")]
            yield criterion, [self[name] for name in names]

    def answers(self) -> list[KnownAnswer]:
        data, answers = self.cleaned_data, []
        for criterion in self.criteria:
            if criterion.kind == CriterionKind.REPORT:
                if text := as_kept(data[f"{criterion.slug}_text"]):
                    answers.append(KnownAnswer(criterion, self.images[0], text=text))
                continue
            if criterion.kind == CriterionKind.PREFERENCE:
                sign = data[f"{criterion.slug}_sign"]
                if sign is not None:
                    answers.append(KnownAnswer(criterion, self.images[0], sign=sign))
                continue
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


class GoldForm(AnswersForm):
    """With no answer at all the case is ordinary again."""

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(
            *args,
            images=[place.image for place in case.case_images.select_related("image")],
            criteria=list(case.study.criteria.all()),
            known=known_answers_of(case),
            texts=[one.text for one in case.texts.all()],
            **kwargs,
        )
