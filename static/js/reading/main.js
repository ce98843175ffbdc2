// Puts the reading page together and wires hands to commands.

/** @import { Commands, OutboxState, RefusedReading, TestCase } from "./types.js" */

import { byId, byIdAs, jsonOf, targetOf } from "../dom.js";
import { Asides } from "./asides.js";
import { Bindings } from "./bindings.js";
import { Bookmark } from "./bookmark.js";
import { Cases } from "./cases.js";
import { Chrome } from "./chrome.js";
import { Clock } from "./clock.js";
import { CommentPanel } from "./comment.js";
import { Drafts } from "./drafts.js";
import { Enlarger } from "./enlarged.js";
import { FlagPicker } from "./flags.js";
import { FeedbackDialog } from "./feedback.js";
import { Flicker } from "./flicker.js";
import { Guideline } from "./guideline.js";
import { KeyMap } from "./keymap.js";
import { listenToKeys } from "./keys.js";
import { Lens } from "./lens.js";
import { Notices } from "./notices.js";
import { Others } from "./others.js";
import { Outbox } from "./outbox.js";
import { Preferences } from "./preferences.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { isDrawing } from "./regions.js";
import { Reference } from "./reference.js";
import { Room } from "./room.js";
import { Ruler } from "./ruler.js";
import { askJson } from "./server.js";
import { Sitting } from "./sitting.js";
import { SkipDialog } from "./skipping.js";
import { Stage } from "./stage.js";
import { heard, keepFor, keepNothing } from "./storage.js";
import { Submission } from "./submission.js";
import { ViewTools, viewCommands } from "./tools.js";
import { Viewer } from "./viewer.js";

const images = byId("images");
/** @type {TestCase} */
const first = jsonOf("case-data");
const { reader = "", worklist = "", pages = "", slots = "", login = "", preview } = images.dataset;
keepFor(reader);
if (preview !== undefined) keepNothing();

/** @type {import("./types.js").Addresses} */
const addresses = {
  worklist,
  page: (slot) => `${pages}${slot}/`,
  slot: (slot) => `${slots}${slot}/`,
  readings: (slot) => `${slots}${slot}/readings/`,
  next: (slot) => `${slots}${slot}/next/`,
  heartbeat: (slot) => `${slots}${slot}/heartbeat/`,
  bookmark: (slot) => `${slots}${slot}/bookmark/`,
};

const chrome = new Chrome();
const notices = new Notices(byId("notice"));
const clock = new Clock();
const sitting = new Sitting(clock);
const cases = new Cases({ addressOf: addresses.slot });
const outbox = new Outbox({
  addressOf: addresses.readings,
  onChange: tellOutbox,
  onRefused: (item) => room.takeBack(item),
  onElsewhere: (item) => room.readElsewhere(item),
});
const queue = new Queue({ cases, outbox, addresses, onLost: tellLost, ahead: () => Number(bindings.choice("ahead")) });
const preferences = new Preferences(jsonOf("preferences-data"), {
  onTrouble: (text) => keyMap.tell(text),
});
const viewTools = new ViewTools();
const bindings = new Bindings(preferences.bindings, {
  onChange: () => {
    preferences.save(bindings.toJSON());
    viewTools.showMaskStyle(bindings.choice("maskStyle"));
  },
});
viewTools.showMaskStyle(bindings.choice("maskStyle"));
const flicker = new Flicker(images, {
  onSwap: (place) => room.present?.focusImage(place),
  onChange: () => {
    if (flicker.isOn) enlarger.begin();
    viewTools.showLayout(flicker);
  },
});
const enlarger = new Enlarger(images, {
  onChange: () => {
    if (enlarger.isOn) flicker.sideBySide();
    viewer.relayout();
  },
});
const ruler = new Ruler({
  focused: () => viewer.panels[room.present?.at.place ?? 0],
  onChange: (isOut, hint) => {
    viewer.tool = isOut ? ruler : undefined;
    viewTools.showRuler(isOut, hint);
  },
});
const lens = new Lens(images, {
  panels: () => viewer.inSight,
  onChange: (isOn) => viewTools.showLens(isOn),
});
const viewer = new Viewer({
  onChange: (view) => {
    chrome.showView(view);
    viewTools.showView(view);
    lens.refresh();
  },
  onShow: (frames) => {
    ruler.putAway();
    enlarger.begin();
    viewTools.toggleAnnotations(false);
    flicker.begin(frames);
  },
  onDouble: (place) => {
    if (viewer.panels[place] && enlarger.isPossible && bindings.choice("mouseDouble") === "enlarge") enlarger.toggle(place);
    else viewer.reset();
  },
  keeps: (what) => bindings.choice(`next${what[0].toUpperCase()}${what.slice(1)}`) === "kept",
  onClick: (place) => viewer.panels[place] && room.present?.focusImage(place),
  mouse: (input) => bindings.mouse(input),
  now: () => clock.read(),
});
const backToScale = () => room.present?.refocus();
const picker = new FlagPicker(byId("flag-picker"), {
  onToggle: (flag, grade) => room.present?.toggleFlag(flag, grade),
  onMark: (flag, shape, grade) => {
    viewTools.toggleAnnotations(false); // what is drawn is seen
    room.present?.mark(flag, shape, grade);
  },
  onClose: backToScale,
});
const skipping = new SkipDialog(byIdAs("skipping", HTMLDialogElement), {
  onSkip: (reason, comment) => room.skip(reason, comment),
  onClose: backToScale,
});
const feedback = new FeedbackDialog(byIdAs("feedback", HTMLDialogElement));
const guideline = new Guideline(byIdAs("guideline", HTMLDialogElement), { onClose: backToScale });
const comment = new CommentPanel(byId("comment-panel"), {
  onInput: (text) => room.present?.setComment(text),
  onClose: backToScale,
});
const bookmark = new Bookmark({ button: byId("bookmark"), cases, notices, addressOf: addresses.bookmark });
const drafts = new Drafts({ outbox, queue, clock, notices });
const progress = new Progress({ chrome, sitting });
const others = new Others(byId("others"));
const reference = new Reference(byId("reference"), { onChange: () => viewer.relayout() });
const stage = new Stage({ images, viewer, enlarger, chrome, bookmark, others, reference, addressOf: addresses.page });
const asides = new Asides({
  notices, chrome, clock, sitting,
  ask: (slot) => askJson(addresses.slot(slot)).catch(() => undefined),
  isOnScreen: (slot) => room.present?.slot === slot,
  onReopened: () => room.reopen(),
  onDone: () => room.desk?.refocus(),
});
const submission = new Submission({ outbox, queue, clock, viewer, notices, progress, sitting });
const room = new Room({
  cases, outbox, queue, chrome, notices, clock, stage, asides, progress, drafts, submission, picker, skipping, feedback, guideline, worklist,
  askReason: () => comment.open(),
});

/** @param {OutboxState} state */
function tellOutbox(state) {
  chrome.showStatus(state);
  if (state.trouble === "login") {
    const text = "You are logged out. Log in again to go on where you are: nothing is lost.";
    notices.say("login", text, [{ label: "Log in", does: logIn }]);
  } else {
    notices.clear("login");
  }
  const [refused] = state.refused;
  if (refused) {
    notices.say("refused", `The reading of case ${refused.position} was not taken. ${refused.reason}`, [
      { label: "Show the case", does: () => showRefused(refused) },
    ]);
  } else {
    notices.clear("refused");
  }
}

/** In this tab: the login brings the reader back to this very case, with all that is kept. */
function logIn() {
  location.assign(`${login}?next=${encodeURIComponent(location.pathname)}`);
}

/** @param {RefusedReading} refused */
function showRefused({ slot }) {
  outbox.dismissRefused(slot);
  room.open(slot);
}

function tellLost() {
  const text = "You were away for longer than this case was held for you, and somebody else may read it too. You can still submit it.";
  notices.say("lost", text, [{ label: "Go on", does: () => asides.dismiss("lost") }]);
}

let isMotionWanted = false;

/** What moves by itself is asked for once more where the system wants things to keep still. @param {() => void} does */
function askForMotion(does) {
  if (isMotionWanted || !matchMedia("(prefers-reduced-motion: reduce)").matches) return does();
  const text = "Your system asks for less motion, so the images keep still. X swaps them by hand.";
  const go = () => {
    isMotionWanted = true;
    asides.dismiss("motion");
    does();
  };
  notices.say("motion", text, [{ label: "Flicker all the same", does: go }]);
}

/** @type {Commands} */
const commands = {
  score: (digit) => {
    flicker.rest();
    room.present?.answer(digit);
  },
  unscore: () => room.present?.unanswer(),
  noneAcceptable: () => room.present?.toggleNoneAcceptable(),
  undo: () => room.present?.undo(),
  redo: () => room.present?.redo(),
  left: () => room.present?.move(-1, 0),
  right: () => room.present?.move(1, 0),
  up: () => room.present?.move(0, -1),
  down: () => room.present?.move(0, 1),
  flag: () => room.present?.openFlags(),
  region: () => room.present?.markAgain(),
  write: () => room.present?.write(),
  comment: () => comment.open(),
  skip: () => room.openSkip(),
  bookmark: () => bookmark.toggle(),
  submit: () => room.submit(),
  back: () => room.back(),
  others: () => others.toggle(),
  reference: () => reference.toggle(),
  help: () => chrome.toggleHelp(),
  guideline: () => guideline.toggle(room.desk?.case.guideline ?? ""),
  ...viewCommands({
    viewer, flicker, enlarger, ruler, lens, bindings, viewTools, askForMotion,
    focused: () => room.present?.at.place ?? 0,
  }),
};
listenToKeys({ bindings, commands, isDrawing });
const keyMap = new KeyMap(byIdAs("help", HTMLDialogElement), { bindings, known: Object.keys(commands) });
viewTools.wire({ commands, bindings, onDone: backToScale });

// The mouse can do all that keys can.
for (const [id, command] of Object.entries({
  submit: "submit",
  back: "back",
  comment: "comment",
  skip: "skip",
  none: "noneAcceptable",
  undo: "undo",
  redo: "redo",
  bookmark: "bookmark",
  "open-help": "help",
  "open-guideline": "guideline",
})) {
  byId(id).addEventListener("click", () => {
    if (isDrawing()) return;
    commands[command]();
    if (["noneAcceptable", "undo", "redo", "bookmark"].includes(command)) backToScale();
  });
}
byId("anchors").addEventListener("click", (event) => {
  const step = targetOf(event).closest("button");
  if (step && !isDrawing()) commands.score(Number(step.dataset.digit));
});
byId("close-help").addEventListener("click", () => chrome.toggleHelp());

// Space is held to pan; on a button it would press it, in the page it would scroll.
const holdSpace = (/** @type {boolean} */ isHeld) => {
  viewer.spaceHeld = isHeld;
  images.classList.toggle("space-held", isHeld);
};
/** @type {(event: KeyboardEvent, isHeld: boolean) => void} */
const hearSpace = (event, isHeld) => {
  if (event.key !== " " || targetOf(event).closest("input, textarea, button, a, dialog")) return;
  event.preventDefault();
  holdSpace(isHeld);
};
document.addEventListener("keydown", (event) => hearSpace(event, true));
document.addEventListener("keyup", (event) => hearSpace(event, false));
window.addEventListener("blur", () => holdSpace(false));
window.addEventListener("storage", (event) => {
  const draft = heard(event, "draft");
  if (draft) room.draftElsewhere(draft.id, draft.value);
});
// The reading time of a case is kept with its draft.
window.addEventListener("pagehide", () => {
  room.present?.saveDraft();
  sitting.keep();
});

outbox.flush();
await room.open(first.slot, first);
