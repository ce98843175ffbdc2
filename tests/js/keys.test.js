// What a key press means on the keyboards that people have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Bindings } from "../../static/js/reading/bindings.js";
import { digitOf, keyOf } from "../../static/js/reading/keys.js";

const bindings = new Bindings({}, { onChange() {} });
const isBound = (key) => bindings.commandOf(key) !== undefined;

function press(code, key, { altGr = false, ...modifiers } = {}) {
  const none = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };
  return { code, key, ...none, ...modifiers, getModifierState: (name) => name === "AltGraph" && altGr };
}

/** What a press does: a digit scores, anything else is a command or nothing. */
function meaning(...given) {
  const key = keyOf(press(...given), isBound);
  return /^\d$/.test(key) ? Number(key) : bindings.commandOf(key)?.name;
}

const ALT_GR = { altGr: true };
/** Windows says Ctrl and Alt with AltGr. */
const ALT_GR_ON_WINDOWS = { altGr: true, ctrlKey: true, altKey: true };
const SHIFT = { shiftKey: true };

const LAYOUTS = {
  "US": [
    ["Digit5", "5", {}, 5],
    ["Numpad5", "5", {}, 5],
    ["Numpad1", "End", {}, undefined],
    ["Digit1", "!", SHIFT, "preset1"],
    ["KeyF", "f", {}, "flag"],
    ["KeyF", "F", {}, "flag"],
    ["KeyX", "X", SHIFT, "sideBySide"],
    ["BracketLeft", "[", {}, "narrower"],
    ["BracketLeft", "{", SHIFT, undefined],
    ["Equal", "+", SHIFT, "zoomIn"],
    ["Equal", "=", {}, "resetView"],
    ["Slash", "?", SHIFT, "help"],
    ["ArrowLeft", "ArrowLeft", SHIFT, "panLeft"],
    ["KeyF", "f", { ctrlKey: true }, undefined],
    ["KeyZ", "z", { ctrlKey: true }, "undo"],
    ["KeyZ", "z", { metaKey: true }, "undo"],
    ["KeyZ", "Z", { ctrlKey: true, shiftKey: true }, "redo"],
    ["KeyZ", "z", { ctrlKey: true, altKey: true }, undefined],
    ["Digit1", "1", { altKey: true }, undefined],
    ["Digit1", "1", { metaKey: true }, undefined],
  ],
  "French AZERTY": [
    ["Digit5", "(", {}, 5],
    ["Digit5", "5", SHIFT, 5],
    ["Digit2", "é", {}, 2],
    ["Digit5", "[", ALT_GR, "narrower"],
    ["Digit5", "[", ALT_GR_ON_WINDOWS, "narrower"],
    ["Minus", "]", ALT_GR, "wider"],
    ["Digit6", "|", ALT_GR, undefined],
    ["Digit2", "~", ALT_GR_ON_WINDOWS, undefined],
    ["Digit2", "Dead", ALT_GR, undefined],
    ["Digit6", "-", {}, "zoomOut"],
    ["Digit6", "6", SHIFT, 6],
    ["KeyQ", "a", {}, "alternate"],
    ["KeyA", "q", {}, undefined],
    ["KeyW", "z", {}, "back"],
    ["KeyZ", "w", {}, "write"],
    ["Semicolon", "m", {}, "mask"],
    ["KeyM", ",", {}, "darker"],
    ["KeyM", "?", SHIFT, "help"],
    ["Comma", ".", SHIFT, "brighter"],
  ],
  "German QWERTZ": [
    ["Digit8", "8", {}, 8],
    ["Digit8", "[", ALT_GR, "narrower"],
    ["Digit8", "[", ALT_GR_ON_WINDOWS, "narrower"],
    ["Digit9", "]", ALT_GR, "wider"],
    ["Digit7", "{", ALT_GR, undefined],
    ["KeyE", "€", ALT_GR, undefined],
    ["Digit0", "=", SHIFT, "resetView"],
    ["Digit1", "!", SHIFT, "preset1"],
    ["Minus", "?", SHIFT, "help"],
    ["BracketRight", "+", {}, "zoomIn"],
    ["KeyY", "z", {}, "back"],
    ["KeyY", "z", { ctrlKey: true }, "undo"],
    ["KeyZ", "y", {}, undefined],
    ["BracketLeft", "ü", {}, "narrower"],
  ],
  "Swedish": [
    ["Digit8", "[", ALT_GR, "narrower"],
    ["Digit9", "]", ALT_GR_ON_WINDOWS, "wider"],
    ["Digit2", "@", ALT_GR, undefined],
    ["Minus", "+", {}, "zoomIn"],
    ["Minus", "?", SHIFT, "help"],
    ["BracketLeft", "å", {}, "narrower"],
    ["Digit1", "!", SHIFT, "preset1"],
  ],
  "Russian": [
    ["KeyF", "а", {}, "flag"],
    ["KeyF", "А", {}, "flag"],
    ["KeyX", "Ч", SHIFT, "sideBySide"],
    ["BracketLeft", "х", {}, "narrower"],
    ["Period", "ю", {}, "brighter"],
    ["Slash", ".", {}, "brighter"],
    ["Digit7", "?", SHIFT, "help"],
    ["Digit1", "!", SHIFT, "preset1"],
    ["Digit3", "№", SHIFT, "preset3"],
    ["Digit4", "4", {}, 4],
    ["KeyF", "а", { ctrlKey: true }, undefined],
    ["KeyZ", "я", { ctrlKey: true }, "undo"],
  ],
  "Arabic": [
    ["Digit3", "٣", {}, 3],
    ["KeyF", "ب", {}, "flag"],
  ],
  "an input method": [["KeyF", "Process", {}, "flag"]],
};

for (const [layout, presses] of Object.entries(LAYOUTS)) {
  for (const [code, key, modifiers, expected] of presses) {
    const held = Object.keys(modifiers).join(" ");
    test(`${layout}: ${held} ${code}, typing ${key}, means ${expected}`, () => {
      assert.equal(meaning(code, key, modifiers), expected);
    });
  }
}

test("AltGr never scores, whatever it types", () => {
  for (const digit of "0123456789") {
    for (const modifiers of [ALT_GR, ALT_GR_ON_WINDOWS]) {
      assert.equal(meaning(`Digit${digit}`, digit, modifiers), undefined);
      assert.equal(digitOf(press(`Digit${digit}`, digit, modifiers)), undefined);
    }
  }
});

test("a character of the reader's own that was typed counts, and no longer its place", () => {
  const own = new Bindings({ comment: ["ü"] }, { onChange() {} });
  const key = keyOf(press("BracketLeft", "ü"), (typed) => own.commandOf(typed) !== undefined);
  assert.equal(own.commandOf(key).name, "comment");
});

test("a key without a place on a US keyboard goes by what it types", () => {
  assert.equal(keyOf(press("IntlBackslash", "<"), isBound), "<");
});
