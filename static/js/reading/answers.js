// The answers to one case: scores, flags, comment. No DOM in here.

import { forget, keep, recall } from "./storage.js";

const KIND = "draft";

export class Answers {
  /** `given` is what a draft, an unsent reading or the server has for the case. */
  constructor(testCase, given) {
    this.case = testCase;
    this.scores = testCase.images.map(() => ({}));
    this.flags = testCase.images.map(() => ({}));
    this.comment = given?.comment ?? "";
    for (const { place, criterion, value } of given?.scores ?? []) this.scores[place][criterion] = value;
    for (const { place, flag, grade } of given?.flags ?? []) this.flags[place][flag] = grade;
  }

  /** `criterion` is its number; no value takes the score back. */
  score(place, criterion, value) {
    const { slug } = this.case.criteria[criterion];
    if (value === undefined) delete this.scores[place][slug];
    else this.scores[place][slug] = value;
  }

  /** The same grade again takes the flag off. */
  toggleFlag(place, flag, grade) {
    if (this.flags[place][flag] === grade) delete this.flags[place][flag];
    else this.flags[place][flag] = grade;
  }

  /** What is not scored yet, in reading order. */
  missing() {
    return this.case.images.flatMap((_, place) =>
      this.case.criteria
        .map((_, criterion) => ({ place, criterion }))
        .filter(({ criterion }) => this.valueAt(place, criterion) === undefined),
    );
  }

  valueAt(place, criterion) {
    return this.scores[place][this.case.criteria[criterion].slug];
  }

  /** As the server takes it, in an order that does not depend on the order of clicking. */
  content() {
    const { criteria, flags } = this.case;
    return {
      scores: this.scores.flatMap((of, place) =>
        criteria
          .filter(({ slug }) => slug in of)
          .map(({ slug }) => ({ place, criterion: slug, value: of[slug] })),
      ),
      flags: this.flags.flatMap((of, place) =>
        flags.filter(({ slug }) => slug in of).map(({ slug }) => ({ place, flag: slug, grade: of[slug] })),
      ),
      comment: this.comment.trim(),
    };
  }

  equals(given) {
    return given != null && sameText(this.content(), new Answers(this.case, given).content());
  }
}

const sameText = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export const recallDraft = (slot) => recall(KIND, slot);
export const keepDraft = (slot, draft) => keep(KIND, slot, draft);
export const forgetDraft = (slot) => forget(KIND, slot);
