// Puts the reading page together and wires hands to commands.

import { Bindings } from "./bindings.js";
import { Cases } from "./cases.js";
import { Chrome } from "./chrome.js";
import { Clock } from "./clock.js";
import { FlagPicker } from "./flags.js";
import { Flicker } from "./flicker.js";
import { KeyMap } from "./keymap.js";
import { listenToKeys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Preferences } from "./preferences.js";
import { isDrawing } from "./regions.js";
import { Room } from "./room.js";
import { keepFor } from "./storage.js";
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
};

const chrome = new Chrome();
const clock = new Clock();
const cases = new Cases({ addressOf: addresses.slot });
const outbox = new Outbox({
  addressOf: addresses.readings,
  onChange: tellOutbox,
  onRefused: (item) => room.takeBack(item),
});
const preferences = new Preferences(JSON.parse(byId("preferences-data")?.textContent ?? "null"), {
  onTrouble: (text) => keyMap.tell(text),
});
const bindings = new Bindings(preferences.bindings, {
  onChange: () => preferences.save(bindings.toJSON()),
});
const flicker = new Flicker(byId("images"), { onSwap: (place) => room.focusImage(place) });
const viewTools = new ViewTools();
const viewer = new Viewer({
  onChange: (view) => {
    chrome.showView(view);
    viewTools.showView(view);
  },
  onShow: (frames) => {
    flicker.begin(frames);
    viewTools.showLayout(flicker);
  },
  onClick: (place) => room.focusImage(place),
  mouse: (input) => bindings.mouse(input),
  now: () => clock.read(),
});
const picker = new FlagPicker(byId("flag-picker"), {
  onToggle: (flag, grade) => room.toggleFlag(flag, grade),
  onClose: () => room.focus(room.at),
});
const room = new Room({ cases, outbox, viewer, chrome, clock, picker, addresses });

function tellOutbox(state) {
  chrome.showStatus(state);
  const [refused] = state.refused;
  if (state.trouble === "login") {
    chrome.notice("You are logged out. Log in again, then come back here: nothing is lost.", [
      { label: "Log in", address: login },
    ]);
  } else if (refused) {
    chrome.notice(`The reading of case ${refused.position} was not taken. ${refused.reason}`, [
      { label: "Show the case", does: () => showRefused(refused) },
    ]);
  } else {
    chrome.notice("");
  }
}

function showRefused({ slot }) {
  outbox.dismissRefused(slot);
  room.open(slot);
}

const comment = byId("comment-panel");
const field = byId("comment-field");

function openComment() {
  comment.hidden = false;
  field.focus();
}

function closeComment() {
  comment.hidden = true;
  room.focus(room.at);
}

field.addEventListener("input", () => {
  room.setComment(field.value);
  byId("comment").classList.toggle("has-comment", field.value.trim() !== "");
});
field.addEventListener("keydown", (event) => {
  const isDone = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
  if (!isDone) return;
  event.preventDefault();
  event.stopPropagation();
  closeComment();
});

const commands = {
  score: (value) => room.score(value),
  unscore: () => room.unscore(),
  left: () => room.move(-1, 0),
  right: () => room.move(1, 0),
  up: () => room.move(0, -1),
  down: () => room.move(0, 1),
  flag: () => room.openFlags(),
  comment: openComment,
  submit: () => room.submit(),
  back: () => room.back(),
  help: () => chrome.toggleHelp(),
  ...viewCommands({ viewer, flicker, tools: viewTools }),
};
listenToKeys({ bindings, commands, isDrawing });
const keyMap = new KeyMap(byId("help"), { bindings, known: Object.keys(commands) });
viewTools.wire({ commands, bindings, onDone: () => room.focus(room.at) });

// The mouse can do all that keys can.
for (const [id, command] of Object.entries({
  submit: "submit",
  back: "back",
  comment: "comment",
  "open-help": "help",
})) {
  byId(id).addEventListener("click", () => commands[command]());
}
[...byId("anchors").children].forEach((item, value) => {
  item.querySelector("button").addEventListener("click", () => room.score(value));
});
byId("close-comment").addEventListener("click", closeComment);
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
// The reading time of a case is kept with its draft.
window.addEventListener("pagehide", () => room.saveDraft());

outbox.flush();
await room.open(first.slot, first);
