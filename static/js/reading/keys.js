// From key presses to commands. Which key means what is the bindings' business.

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead"]);
/** On some keyboards these share a key with a digit. */
const NEVER_DIGITS = new Set(["=", "?", "+", "-"]);

const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
const isControl = (element) => element.closest("button, a, summary, dialog") !== null;

/** Digits by place on the keyboard: with the French layout they would need Shift. */
function digitOf({ code, key }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  const isNumLockOff = code.startsWith("Numpad") && key !== digit;
  return isNumLockOff || NEVER_DIGITS.has(key) ? undefined : digit;
}

/** The key as bindings write it, or nothing for a modifier alone or a key of the browser's. */
export function keyOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || MODIFIERS.has(event.key)) return undefined;
  const digit = digitOf(event);
  if (digit !== undefined) return event.shiftKey && event.code.startsWith("Digit") ? `Shift+${digit}` : digit;
  const isLetter = event.key.toLowerCase() !== event.key.toUpperCase() && event.key.length === 1;
  const key = isLetter ? event.key.toLowerCase() : event.key;
  return event.shiftKey && (isLetter || key.length > 1 || key === " ") ? `Shift+${key}` : key;
}

/** While a region is drawn, its image may be looked at but nothing else may happen. */
const WHILE_DRAWING = new Set(["Window", "View"]);

/**
 * `commands` has a function for each command that this page knows, and `score(digit)`.
 * `isDrawing()` says whether a region is being drawn.
 */
export function listenToKeys({ bindings, commands, isDrawing }) {
  const held = new Map(); // by the place on the keyboard: Shift may change the key meanwhile
  const release = (code) => {
    commands[held.get(code)]?.(false);
    held.delete(code);
  };
  document.addEventListener("keyup", ({ code }) => release(code));
  window.addEventListener("blur", () => [...held.keys()].forEach(release));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const key = keyOf(event);
    if (key === undefined) return;
    const { name, group, repeats, isHeld } = /^\d$/.test(key) ? { name: "score" } : (bindings.commandOf(key) ?? {});
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
