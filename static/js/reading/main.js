// Puts the reading page together and wires hands to commands.

import { Bindings } from "./bindings.js";
import { Bookmark } from "./bookmark.js";
import { Cases } from "./cases.js";
import { Chrome } from "./chrome.js";
import { Clock } from "./clock.js";
import { CommentPanel } from "./comment.js";
import { FlagPicker } from "./flags.js";
import { Flicker } from "./flicker.js";
import { KeyMap } from "./keymap.js";
import { listenToKeys } from "./keys.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { Preferences } from "./preferences.js";
import { Queue } from "./queue.js";
import { isDrawing } from "./regions.js";
import { Room } from "./room.js";
import { Sitting } from "./sitting.js";
import { SkipDialog } from "./skipping.js";
import { heard, keepFor } from "./storage.js";
import { ViewTools, viewCommands } from "./tools.js";
import { Viewer } from "./viewer.js";

const byId = (id) => document.getElementById(id);
const first = JSON.parse(byId("case-data").textContent);
const { reader, worklist, login } = byId("images").dataset;
keepFor(reader);

const addresses = {
  worklist,
  page: (slot) => `${worklist}${slot}/`,
  slot: (slot) => `/api/slots/${slot}/`,
  readings: (slot) => `/api/slots/${slot}/readings/`,
  next: (slot) => `/api/slots/${slot}/next/`,
  heartbeat: (slot) => `/api/slots/${slot}/heartbeat/`,
  bookmark: (slot) => `/api/slots/${slot}/bookmark/`,
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
const queue = new Queue({ cases, outbox, addresses, onLost: tellLost });
const preferences = new Preferences(JSON.parse(byId("preferences-data").textContent), {
  onTrouble: (text) => keyMap.tell(text),
});
const bindings = new Bindings(preferences.bindings, {
  onChange: () => preferences.save(bindings.toJSON()),
});
const viewTools = new ViewTools();
const flicker = new Flicker(byId("images"), {
  onSwap: (place) => room.focusImage(place),
  onChange: () => viewTools.showLayout(flicker),
});
const viewer = new Viewer({
  onChange: (view) => {
    chrome.showView(view);
    viewTools.showView(view);
  },
  onShow: (frames) => flicker.begin(frames),
  onClick: (place) => room.focusImage(place),
  mouse: (input) => bindings.mouse(input),
  now: () => clock.read(),
});
const backToScale = () => room.isShown && room.focus(room.at);
const picker = new FlagPicker(byId("flag-picker"), {
  onToggle: (flag, grade) => room.toggleFlag(flag, grade),
  onMark: (flag, shape) => room.mark(flag, shape),
  onClose: backToScale,
});
const skipping = new SkipDialog(byId("skipping"), {
  onSkip: (reason, comment) => room.skip(reason, comment),
  onClose: backToScale,
});
const comment = new CommentPanel(byId("comment-panel"), {
  onInput: (text) => room.setComment(text),
  onClose: backToScale,
});
const bookmark = new Bookmark({ button: byId("bookmark"), cases, notices, addressOf: addresses.bookmark });
const room = new Room({
  cases, outbox, queue, viewer, chrome, notices, clock, sitting, picker, skipping, bookmark, addresses,
});

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

function showRefused({ slot }) {
  outbox.dismissRefused(slot);
  room.open(slot);
}

function tellLost() {
  const text = "You were away for longer than this case was held for you, and somebody else may read it too. You can still submit it.";
  notices.say("lost", text, [{ label: "Go on", does: () => room.dismiss("lost") }]);
}

/** What moves by itself is asked for once more where the system wants things to keep still. */
function askForMotion(does) {
  if (askForMotion.isWanted || !matchMedia("(prefers-reduced-motion: reduce)").matches) return does();
  const text = "Your system asks for less motion, so the images keep still. X swaps them by hand.";
  const go = () => {
    askForMotion.isWanted = true;
    room.dismiss("motion");
    does();
  };
  notices.say("motion", text, [{ label: "Flicker all the same", does: go }]);
}

const commands = {
  score: (digit) => {
    flicker.rest();
    room.answer(digit);
  },
  unscore: () => room.unanswer(),
  noneAcceptable: () => room.toggleNoneAcceptable(),
  undo: () => room.undo(),
  left: () => room.move(-1, 0),
  right: () => room.move(1, 0),
  up: () => room.move(0, -1),
  down: () => room.move(0, 1),
  flag: () => room.openFlags(),
  region: () => room.markAgain(),
  comment: () => comment.open(),
  skip: () => room.openSkip(),
  bookmark: () => bookmark.toggle(),
  submit: () => room.submit(),
  back: () => room.back(),
  help: () => chrome.toggleHelp(),
  ...viewCommands({ viewer, flicker, askForMotion }),
};
listenToKeys({ bindings, commands, isDrawing });
const keyMap = new KeyMap(byId("help"), { bindings, known: Object.keys(commands) });
viewTools.wire({ commands, bindings, onDone: backToScale });

// The mouse can do all that keys can.
for (const [id, command] of Object.entries({
  submit: "submit",
  back: "back",
  comment: "comment",
  skip: "skip",
  none: "noneAcceptable",
  undo: "undo",
  bookmark: "bookmark",
  "open-help": "help",
})) {
  byId(id).addEventListener("click", () => {
    if (isDrawing()) return;
    commands[command]();
    if (["noneAcceptable", "undo", "bookmark"].includes(command)) backToScale();
  });
}
byId("anchors").addEventListener("click", ({ target }) => {
  const step = target.closest("button");
  if (step && !isDrawing()) commands.score(Number(step.dataset.digit));
});
byId("close-help").addEventListener("click", () => chrome.toggleHelp());

// Space is held to pan; on a button it would press it, in the page it would scroll.
const isTyping = ({ target }) => target.closest("input, textarea") !== null;
for (const [kind, isHeld] of [["keydown", true], ["keyup", false]]) {
  document.addEventListener(kind, (event) => {
    if (event.key !== " " || isTyping(event) || event.target.closest("button, a, dialog")) return;
    event.preventDefault();
    viewer.spaceHeld = isHeld;
    byId("images").classList.toggle("space-held", isHeld);
  });
}
window.addEventListener("blur", () => {
  viewer.spaceHeld = false;
  byId("images").classList.remove("space-held");
});
window.addEventListener("storage", (event) => {
  const draft = heard(event, "draft");
  if (draft) room.draftElsewhere(draft.id, draft.value);
});
// The reading time of a case is kept with its draft.
window.addEventListener("pagehide", () => {
  room.saveDraft();
  sitting.keep();
});

outbox.flush();
await room.open(first.slot, first);
