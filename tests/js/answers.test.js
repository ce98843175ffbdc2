// The answers to a case: what is kept, undone and sent.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Answers, forgetDraft, keepDraft, recallDraft } from "../../static/js/reading/answers.js";
import { keepFor } from "../../static/js/reading/storage.js";
import { openPage } from "./browser.js";

const CASE = {
  images: [{}, {}],
  criteria: [{ slug: "realism" }, { slug: "quality" }],
  flags: [{ slug: "ribs" }, { slug: "clavicles" }],
};
const AT = { place: 0, criterion: 0 };
const BOX = { shape: "box", points: [[1, 2], [30, 40]] };

beforeEach(openPage);

test("answers are told in the order of images and criteria, however they were given", () => {
  const answers = new Answers(CASE);
  answers.score(1, "quality", 2);
  answers.score(1, "realism", 0);
  answers.score(0, "quality", 5);
  assert.deepEqual(answers.content().scores, [
    { place: 0, criterion: "quality", value: 5 },
    { place: 1, criterion: "realism", value: 0 },
    { place: 1, criterion: "quality", value: 2 },
  ]);
});

test("what is told can be taken again, and is the same", () => {
  const answers = new Answers(CASE);
  answers.score(0, "realism", 3);
  answers.choose("quality", { verdict: "better", place: 1, strength: 2 });
  answers.mark(1, "ribs", BOX);
  answers.comment = " blurred ";
  const again = new Answers(CASE, answers.content());
  assert.deepEqual(again.content(), answers.content());
  assert.equal(again.comment, "blurred");
  assert.ok(again.equals(answers.content()));
});

test("no value takes a score back, and so does no choice", () => {
  const answers = new Answers(CASE);
  answers.score(0, "realism", 3);
  answers.score(0, "realism");
  answers.choose("realism", { verdict: "equal" });
  answers.choose("realism");
  assert.ok(answers.equals(new Answers(CASE).content()));
});

test("the same grade again takes a flag off, another one keeps its regions", () => {
  const answers = new Answers(CASE);
  answers.toggleFlag(0, "ribs", "minor");
  answers.mark(0, "ribs", BOX);
  answers.toggleFlag(0, "ribs", "major");
  assert.deepEqual(answers.content().flags, [{ place: 0, flag: "ribs", grade: "major", regions: [BOX] }]);
  answers.toggleFlag(0, "ribs", "major");
  assert.deepEqual(answers.content().flags, []);
});

test("a region without a flag makes it a minor one", () => {
  const answers = new Answers(CASE);
  answers.mark(1, "clavicles", BOX);
  assert.equal(answers.flags[1].clavicles.grade, "minor");
});

test("one region is changed or taken off, and the others stay", () => {
  const [one, two, three] = [1, 2, 3].map((x) => ({ shape: "box", points: [[x, x], [x + 9, x + 9]] }));
  const answers = new Answers(CASE);
  for (const region of [one, two]) answers.mark(0, "ribs", region);
  answers.changeRegion(0, "ribs", 0, three);
  answers.changeRegion(0, "ribs", 1, null);
  assert.deepEqual(answers.flags[0].ribs.regions, [three]);
});

test("undoing goes back change by change, and leaves the comment", () => {
  const answers = new Answers(CASE);
  answers.remember(AT);
  answers.score(0, "realism", 3);
  answers.remember({ place: 1, criterion: 1 });
  answers.score(1, "quality", 4);
  answers.comment = "kept";
  assert.deepEqual(answers.undo(), { place: 1, criterion: 1 });
  assert.deepEqual(answers.content().scores, [{ place: 0, criterion: "realism", value: 3 }]);
  assert.deepEqual(answers.undo(), AT);
  assert.deepEqual(answers.content().scores, []);
  assert.equal(answers.undo(), undefined);
  assert.equal(answers.comment, "kept");
});

test("a skipped case has no scores, and answering reads it after all", () => {
  const answers = new Answers(CASE);
  answers.score(0, "realism", 3);
  answers.skipReason = "technical";
  assert.deepEqual(answers.content().scores, []);
  answers.score(0, "quality", 1);
  assert.equal(answers.content().skip_reason, "");
  assert.equal(answers.content().scores.length, 2);
});

test("corners that differ by less than a hundredth of a pixel are the same", () => {
  const answers = new Answers(CASE);
  answers.mark(0, "ribs", BOX);
  const content = answers.content();
  const off = (by) => ({ ...content, flags: [{ ...content.flags[0], regions: [{ shape: "box", points: [[1 + by, 2], [30, 40]] }] }] });
  assert.ok(answers.equals(off(0.001)));
  assert.ok(!answers.equals(off(0.5)));
  assert.ok(!answers.equals(null));
});

test("a draft is kept for one reader", () => {
  keepFor("rosa");
  keepDraft("slot", { comment: "mine" });
  keepFor("samuel");
  assert.equal(recallDraft("slot"), undefined);
  keepFor("rosa");
  assert.deepEqual(recallDraft("slot"), { comment: "mine" });
  forgetDraft("slot");
  assert.equal(recallDraft("slot"), undefined);
});

test("redoing makes again what was undone, until something else is changed", () => {
  const answers = new Answers(CASE);
  const give = (value) => {
    answers.remember(AT);
    answers.score(0, "realism", value);
  };
  give(3);
  give(4);
  answers.undo();
  answers.undo();
  assert.deepEqual(answers.redo(), AT);
  assert.equal(answers.scores[0].realism, 3);
  answers.redo();
  assert.equal(answers.scores[0].realism, 4);
  assert.equal(answers.redo(), undefined);
  answers.undo();
  give(5);
  assert.equal(answers.redo(), undefined);
  answers.undo();
  assert.equal(answers.scores[0].realism, 3);
});

const REPORTED = {
  images: [{}],
  criteria: [{ slug: "report", kind: "report" }],
  flags: [],
  texts: ["No effusion."],
  report_reasons: [{ slug: "false_finding" }, { slug: "style" }],
};

test("a draft is whole once it is accepted, or changed with a reason", () => {
  const answers = new Answers(REPORTED);
  assert.ok(!answers.isReportWhole);
  answers.toggleAccepted();
  assert.deepEqual(answers.content().report, { text: "No effusion.", reasons: [], is_accepted: true });
  answers.write("An effusion. ");
  assert.ok(!answers.isReportWhole);
  answers.toggleAccepted(); // what was changed cannot be accepted as it was
  answers.remember(AT);
  answers.toggleReason("style");
  answers.toggleReason("false_finding");
  assert.deepEqual(answers.content().report.reasons, ["false_finding", "style"]);
  assert.ok(new Answers(REPORTED, answers.content()).equals(answers.content()));
  answers.write("A small effusion.");
  answers.undo();
  assert.deepEqual(answers.content().report, { text: "A small effusion.", reasons: [], is_accepted: false });
});

test("points for one of two reports are told and are the same again", () => {
  const compared = { images: [{}], criteria: [{ slug: "tone", kind: "preference" }], flags: [], texts: ["a", "b"] };
  const answers = new Answers(compared);
  answers.prefer("tone", -3);
  assert.deepEqual(answers.content().preferences, [{ criterion: "tone", points: -3 }]);
  assert.ok(answers.equals({ preferences: [{ criterion: "tone", points: -3 }] }));
  assert.ok(!answers.equals({ preferences: [{ criterion: "tone", points: 3 }] }));
});
