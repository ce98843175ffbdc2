// From key presses to commands. Which key means what is the bindings' business.
//
// Keyboards differ. What was typed counts where it is a character of the key map, wherever its key
// lies ("[" is AltGr+5 on a French keyboard); the place of the key where it is not, named as on a
// US keyboard ("а" of a Cyrillic layout lies where "f" does). AltGr only ever types.

/** @typedef {Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "getModifierState">} KeyPress */
/** @typedef {(name: string) => boolean} IsBound Whether the key map has this character. */

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
  return /^(?:Key|Digit)(.)$/.exec(code)?.[1].toLowerCase() ?? PLACES[code];
}

/**
 * The key as bindings write it, or nothing for a modifier alone or a key of the browser's.
 * @param {KeyPress} event
 * @param {IsBound} isBound
 */
export function keyOf(event, isBound) {
  const { key, code, shiftKey } = event;
  if (MODIFIERS.has(key)) return undefined;
  if (isTypingAltGr(event)) return isCharacter(key) && !isDigit(key) && isBound(key) ? key : undefined;
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  if (!isCharacter(key) || key === " ") return withShift(UNTYPED.has(key) ? placeOf(code) : key, shiftKey);
  if (isDigit(key)) return key;
  const isLetter = key.toLowerCase() !== key.toUpperCase();
  const typed = isLetter ? withShift(key.toLowerCase(), shiftKey) : key;
  return isLatin(key) || isBound(typed) ? typed : (withShift(placeOf(code), shiftKey) ?? typed);
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

const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
const isControl = (element) => element.closest("button, a, summary, dialog") !== null;

/** While a region is drawn, its image may be looked at but nothing else may happen. */
const WHILE_DRAWING = new Set(["Window", "View"]);

/**
 * `commands` has a function for each command that this page knows, and `score(digit)`.
 * `isDrawing()` says whether a region is being drawn.
 */
export function listenToKeys({ bindings, commands, isDrawing }) {
  const isBound = (key) => bindings.commandOf(key) !== undefined;
  const held = new Map(); // by the place on the keyboard: Shift may change the key meanwhile
  const release = (code) => {
    commands[held.get(code)]?.(false);
    held.delete(code);
  };
  document.addEventListener("keyup", ({ code }) => release(code));
  window.addEventListener("blur", () => [...held.keys()].forEach(release));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const key = keyOf(event, isBound);
    if (key === undefined) return;
    const { name, group, repeats, isHeld } = isDigit(key) ? { name: "score" } : (bindings.commandOf(key) ?? {});
    if (!commands[name]) return;
    if (event.repeat && !repeats) return; // held down, it would act on a case that nobody looked at
    if (name === "submit" && isControl(event.target)) return; // Enter presses the button
    if (event.target.closest("dialog") && name !== "help") return;
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
