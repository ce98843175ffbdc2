// From key presses to commands. Which key means what is the bindings' business.
//
// Keyboards differ. What was typed counts where it is a character of the key map, wherever its key
// lies ("[" is AltGr+5 on a French keyboard); the place of the key where it is not, named as on a
// US keyboard ("а" of a Cyrillic layout lies where "f" does). AltGr only ever types.

/** @import { Bindings } from "./bindings.js" */
/** @import { Commands } from "./types.js" */
/** @typedef {Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "getModifierState">} KeyPress */
/** @typedef {(name: string) => boolean} IsBound Whether the key map has this character. */

import { targetOf } from "../dom.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead"]);
/** What browsers say where an input method has the key. */
const UNTYPED = new Set(["Process", "Unidentified"]);
/** @type {Record<string, string>} */
const PLACES = {
  Minus: "-",
  Equal: "=",
  BracketLeft: "[",
  BracketRight: "]",
  Semicolon: ";",
  Quote: "'",
  Backquote: "`",
  Backslash: "\\",
  Comma: ",",
  Period: ".",
  Slash: "/",
};
const IS_MAC = /^Mac/.test(globalThis.navigator?.platform ?? "");

const isCharacter = (/** @type {string} */ key) => [...key].length === 1;
const isDigit = (/** @type {string} */ key) => /^[0-9]$/.test(key);
const isLatin = (/** @type {string} */ key) => /^[a-z]$/i.test(key);

/** AltGr, or what makes the same characters on a Mac; Windows says Ctrl and Alt with it. */
const isTypingAltGr = (/** @type {KeyPress} */ event) =>
  event.getModifierState("AltGraph") || (IS_MAC && event.altKey && !event.ctrlKey && !event.metaKey);

/** What lies there on a US keyboard. */
function placeOf(/** @type {string} */ code) {
  /** @type {string | undefined} */
  const letterOrDigit = /^(?:Key|Digit)(.)$/.exec(code)?.[1].toLowerCase();
  return letterOrDigit ?? PLACES[code];
}

/**
 * The key as bindings write it, or nothing for a modifier alone or a key of the system's.
 * @param {KeyPress} event
 * @param {IsBound} isBound
 */
export function keyOf(event, isBound) {
  const { key, code, shiftKey } = event;
  if (MODIFIERS.has(key)) return undefined;
  if (isTypingAltGr(event)) return isCharacter(key) && !isDigit(key) && isBound(key) ? key : undefined;
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return withControl(event);
  if (!isCharacter(key) || key === " ") return withShift(UNTYPED.has(key) ? placeOf(code) : key, shiftKey);
  if (isDigit(key)) return key;
  const isLetter = key.toLowerCase() !== key.toUpperCase();
  const typed = isLetter && shiftKey ? `Shift+${key.toLowerCase()}` : key.toLowerCase();
  return isLatin(key) || isBound(typed) ? typed : (withShift(placeOf(code), shiftKey) ?? typed);
}

/** Ctrl with a letter; on a Mac the command key counts as Ctrl. @param {KeyPress} event */
function withControl({ key, code, shiftKey }) {
  const letter = isLatin(key) ? key.toLowerCase() : placeOf(code);
  return letter && isLatin(letter) ? `Ctrl+${withShift(letter, shiftKey)}` : undefined;
}

/** @type {(key: string | undefined, shiftKey: boolean) => string | undefined} */
const withShift = (key, shiftKey) => (key && shiftKey ? `Shift+${key}` : key);

/**
 * The digit that a key press means where digits choose, as they score.
 * @param {KeyPress} event
 */
export function digitOf(event) {
  const key = keyOf(event, () => false);
  return key !== undefined && isDigit(key) ? Number(key) : undefined;
}

const isTyping = (/** @type {Element} */ element) => element.closest("input, textarea, select, [contenteditable]") !== null;
const isControl = (/** @type {Element} */ element) => element.closest("button, a, summary, dialog") !== null;

/** @type {import("./bindings.js").Command} */
const SCORE = { group: "Answers", name: "score", keys: [], text: "Answer" };

/** While a region is drawn, its image may be looked at but nothing else may happen. */
const WHILE_DRAWING = new Set(["Window", "View"]);

/**
 * `commands` has a function for each command that this page knows, and `score(digit)`.
 * `isDrawing()` says whether a region is being drawn.
 * @param {{bindings: Bindings, commands: Commands, isDrawing: () => boolean}} parts
 */
export function listenToKeys({ bindings, commands, isDrawing }) {
  /** @type {IsBound} */
  const isBound = (key) => bindings.commandOf(key) !== undefined;
  /** @type {Map<string, string>} */
  const held = new Map(); // by the place on the keyboard: Shift may change the key meanwhile
  const release = (/** @type {string} */ code) => {
    commands[held.get(code) ?? ""]?.(false);
    held.delete(code);
  };
  document.addEventListener("keyup", ({ code }) => release(code));
  window.addEventListener("blur", () => [...held.keys()].forEach(release));
  document.addEventListener("keydown", (event) => {
    const target = targetOf(event);
    // Every annotator listens for Ctrl+Z at the document after us, and would take back a drawing without a word.
    if (event.ctrlKey || event.metaKey) event.stopImmediatePropagation();
    if (event.defaultPrevented || isTyping(target)) return;
    const key = keyOf(event, isBound);
    if (key === undefined) return;
    const command = isDigit(key) ? SCORE : bindings.commandOf(key);
    if (!command || !commands[command.name]) return;
    const { name, group, repeats, isHeld } = command;
    if (event.repeat && !repeats) return; // held down, it would act on a case that nobody looked at
    if (name === "submit" && isControl(target)) return; // Enter presses the button
    const dialog = target.closest("dialog");
    if (dialog && dialog.dataset.command !== name) return; // the key that opened it closes it
    event.preventDefault();
    if (isDrawing() && !WHILE_DRAWING.has(group)) return;
    if (name === "score") {
      commands.score(Number(key));
    } else if (isHeld) {
      held.set(event.code, name);
      commands[name](true);
    } else {
      commands[name]();
    }
  });
}
