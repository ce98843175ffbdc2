// The answers to one case: scores or choices, flags with their regions, comment. No DOM in here.

/** @import { Choice, Content, Draft, Given, GivenFlags, Grade, Question, Region, TestCase } from "./types.js" */

import { forget, keep, recall } from "./storage.js";

const KIND = "draft";
const UNDO_LEVELS = 100;

const withoutName = (/** @type {Region} */ { shape, points }) => ({ shape, points });

export class Answers {
  /** What undoing goes back to, the newest last. @type {{at: Question, content: Content}[]} */
  past = [];
  /** What was undone and can be had again, the newest last. @type {{at: Question, content: Content}[]} */
  undone = [];
  /** By image and criterion. @type {Record<string, number>[]} */
  scores = [];
  /** @type {GivenFlags[]} */
  flags = [];
  /** By criterion. @type {Record<string, Choice>} */
  choices = {};
  /** The report as it stands; a draft that is accepted is not changed. */
  report = { text: "", isAccepted: false };
  /** Why the draft was changed. @type {Set<string>} */
  reasons = new Set();
  /** For one of two reports, by criterion. @type {Record<string, number>} */
  points = {};
  comment = "";
  noneAcceptable = false;
  skipReason = "";

  /**
   * @param {Pick<TestCase, "images" | "criteria" | "flags"> & Partial<Pick<TestCase, "texts" | "report_reasons">>} testCase
   * @param {Given | null} [given] What a draft, an unsent reading or the server has for the case.
   */
  constructor(testCase, given) {
    this.case = testCase;
    this.take(given);
  }

  /** @param {Given | null} [given] */
  take(given) {
    this.scores = this.case.images.map(() => ({}));
    this.flags = this.case.images.map(() => ({}));
    this.choices = {};
    this.report = { text: given?.report?.text ?? this.draft ?? "", isAccepted: given?.report?.is_accepted ?? false };
    this.reasons = new Set(given?.report?.reasons);
    this.points = {};
    for (const { criterion, points } of given?.preferences ?? []) this.points[criterion] = points;
    this.comment = given?.comment ?? "";
    this.noneAcceptable = given?.none_acceptable ?? false;
    this.skipReason = given?.skip_reason ?? "";
    for (const { place, criterion, value } of given?.scores ?? []) this.scores[place][criterion] = value;
    for (const { criterion, ...choice } of given?.choices ?? []) this.choices[criterion] = choice;
    for (const { place, flag, grade, regions = [] } of given?.flags ?? []) {
      this.flags[place][flag] = { grade, regions: regions.map(withoutName) };
    }
  }

  /**
   * Before a change: what is here now can be had back, with the place `at` where it changes.
   * @param {Question} at
   */
  remember(at) {
    this.rememberAs({ at, content: this.content() });
  }

  /** @param {{at: Question, content: Content}} before */
  rememberAs(before) {
    this.past.push(before);
    if (this.past.length > UNDO_LEVELS) this.past.shift();
    this.undone = [];
  }

  /** Takes the last change back and returns its place. Fields of text undo by themselves. */
  undo() {
    return this.step(this.past, this.undone);
  }

  /** Makes the last change again that was taken back. */
  redo() {
    return this.step(this.undone, this.past);
  }

  /** @type {(from: typeof this.past, to: typeof this.past) => Question | undefined} */
  step(from, to) {
    const last = from.pop();
    if (!last) return undefined;
    to.push({ at: last.at, content: this.content() });
    const { text } = this.report;
    this.take({ ...last.content, comment: this.comment });
    this.report.text = text;
    return last.at;
  }

  /**
   * No value takes the score back. Answering a skipped case reads it after all.
   * @param {number} place
   * @param {string} slug
   * @param {number} [value]
   */
  score(place, slug, value) {
    if (value === undefined) delete this.scores[place][slug];
    else this.scores[place][slug] = value;
    this.skipReason = "";
  }

  /**
   * @param {string} slug
   * @param {Choice} [choice]
   */
  choose(slug, choice) {
    if (choice === undefined) delete this.choices[slug];
    else this.choices[slug] = choice;
    this.skipReason = "";
  }

  /**
   * The same grade again takes the flag off, with its regions.
   * @param {number} place
   * @param {string} flag
   * @param {Grade} grade
   */
  toggleFlag(place, flag, grade) {
    const given = this.flags[place][flag];
    if (given?.grade === grade) delete this.flags[place][flag];
    else this.flags[place][flag] = { grade, regions: given?.regions ?? [] };
  }

  /**
   * A region of a flag; of one that is not there yet it makes a minor one, unless a grade is given.
   * @param {number} place
   * @param {string} flag
   * @param {Region} region
   * @param {Grade} [grade]
   */
  mark(place, flag, region, grade) {
    const given = this.flags[place][flag];
    const regions = [...(given?.regions ?? []), withoutName(region)];
    this.flags[place][flag] = { grade: grade ?? given?.grade ?? "minor", regions };
  }

  /**
   * Without a region, the one of this number is taken off.
   * @param {number} place
   * @param {string} flag
   * @param {number} number
   * @param {Region | null} region
   */
  changeRegion(place, flag, number, region) {
    this.flags[place][flag]?.regions.splice(number, 1, ...(region ? [withoutName(region)] : []));
  }

  /** What the reader started from, where they were given a draft. */
  get draft() {
    return this.asksReport ? this.case.texts?.[0] : undefined;
  }

  get asksReport() {
    return this.case.criteria.some(({ kind }) => kind === "report");
  }

  /** Whether a draft reads otherwise now; blank ends are no change. */
  get isChanged() {
    return this.draft !== undefined && this.report.text.trim() !== this.draft.trim();
  }

  /** Whether there is a report, and it is said why it is not the draft, or that it is. */
  get isReportWhole() {
    if (!this.report.text.trim()) return false;
    if (this.draft === undefined) return true;
    return this.isChanged ? this.reasons.size > 0 : this.report.isAccepted;
  }

  /** @param {string} text */
  write(text) {
    this.report = { text, isAccepted: false };
    this.skipReason = "";
  }

  /** The draft is to stay as it is, or that is taken back. */
  toggleAccepted() {
    if (this.isChanged) return;
    this.report.isAccepted = !this.report.isAccepted;
    this.skipReason = "";
  }

  /** @param {string} slug */
  toggleReason(slug) {
    if (!this.reasons.delete(slug)) this.reasons.add(slug);
    this.report.isAccepted = false;
    this.skipReason = "";
  }

  /**
   * No points take the preference back.
   * @param {string} slug
   * @param {number} [points]
   */
  prefer(slug, points) {
    if (points === undefined) delete this.points[slug];
    else this.points[slug] = points;
    this.skipReason = "";
  }

  toggleNoneAcceptable() {
    this.noneAcceptable = !this.noneAcceptable;
    this.skipReason = "";
  }

  /** In an order that does not depend on the order of clicking. @returns {Content} */
  content() {
    return {
      scores: this.skipReason ? [] : this.scoreList(),
      choices: this.skipReason ? [] : this.choiceList(),
      flags: this.flagList(),
      report: this.asksReport && !this.skipReason ? this.reportContent() : null,
      preferences: this.skipReason ? [] : this.preferenceList(),
      comment: this.comment.trim(),
      none_acceptable: !this.skipReason && this.noneAcceptable,
      skip_reason: this.skipReason,
    };
  }

  scoreList() {
    return this.scores.flatMap((of, place) =>
      this.case.criteria
        .filter(({ slug }) => slug in of)
        .map(({ slug }) => ({ place, criterion: slug, value: of[slug] })),
    );
  }

  choiceList() {
    return this.case.criteria
      .filter(({ slug }) => slug in this.choices)
      .map(({ slug }) => {
        const { verdict, place = null, strength = null } = this.choices[slug];
        return { criterion: slug, verdict, place, strength };
      });
  }

  /** Reasons in the order in which they are offered; they are of a change alone. */
  reportContent() {
    const offered = this.case.report_reasons ?? [];
    const reasons = offered.map(({ slug }) => slug).filter((slug) => this.isChanged && this.reasons.has(slug));
    return { text: this.report.text.trim(), reasons, is_accepted: this.report.isAccepted && !this.isChanged };
  }

  preferenceList() {
    return this.case.criteria
      .filter(({ slug }) => slug in this.points)
      .map(({ slug }) => ({ criterion: slug, points: this.points[slug] }));
  }

  flagList() {
    return this.flags.flatMap((of, place) =>
      this.case.flags
        .filter(({ slug }) => slug in of)
        .map(({ slug }) => {
          const { grade, regions } = of[slug];
          return { place, flag: slug, grade, regions: regions.map(withoutName) };
        }),
    );
  }

  /** @param {Given | null} [given] */
  equals(given) {
    return given != null && sameText(this.content(), new Answers(this.case, given).content());
  }
}

/** Whether the server takes an answer, or a change of it. @param {Pick<TestCase, "is_open" | "is_locked">} found */
export const takesAnswers = ({ is_open: isOpen, is_locked: isLocked }) => isOpen && !isLocked;

/** Corners to a hundredth of a pixel: the server may have put them through another scale. */
const textOf = (/** @type {Content} */ content) =>
  JSON.stringify(content, (name, value) =>
    name === "points" && Array.isArray(value) ? value.map((/** @type {number[]} */ point) => point.map((at) => at.toFixed(2))) : value,
  );
/** @type {(one: Content, other: Content) => boolean} */
const sameText = (one, other) => textOf(one) === textOf(other);

/** @type {(slot: string) => Draft | undefined} */
export const recallDraft = (slot) => recall(KIND, slot);
/** @type {(slot: string, draft: Draft) => void} */
export const keepDraft = (slot, draft) => keep(KIND, slot, draft);
/** @type {(slot: string) => void} */
export const forgetDraft = (slot) => forget(KIND, slot);
