// The key map: one table, for the hands and for the help that `?` opens.

/** `does` names a command of the room; a digit or preset hands its number on. */
export const KEY_MAP = [
  { keys: ["0", "–", "5"], text: "Score, and go on to the next" },
  { keys: ["←", "→", "↑", "↓"], text: "Move between images and criteria" },
  { keys: ["Tab"], text: "Next scale (Shift: the one before)" },
  { keys: ["Backspace"], text: "Take the score back" },
  { keys: ["F"], text: "Flag the image: type to find, Enter minor, Shift+Enter major" },
  { keys: ["C"], text: "Comment on the case" },
  { keys: ["Enter"], text: "Submit; or jump to what is missing" },
  { keys: ["Z"], text: "Back to the case before, to look again or revise" },
  { keys: ["I"], text: "Invert" },
  { keys: ["+", "−"], text: "Zoom" },
  { keys: ["="], text: "Reset window, zoom and pan" },
  { keys: ["Shift", "1", "–", "4"], text: "Window: full, lungs, mediastinum, high contrast" },
  { keys: ["?"], text: "Show or hide this map" },
];

export const MOUSE_MAP = [
  { keys: ["Left drag"], text: "Window (across) and level (up brightens)" },
  { keys: ["Wheel"], text: "Zoom at the pointer" },
  { keys: ["Middle drag"], text: "Pan; so does Space with the left button" },
  { keys: ["Double click"], text: "Reset window, zoom and pan" },
];

const NAMED = {
  Enter: "submit",
  Backspace: "unscore",
  Delete: "unscore",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  f: "flag",
  c: "comment",
  z: "back",
  i: "invert",
  "+": "zoomIn",
  "-": "zoomOut",
  "=": "resetView",
  "?": "help",
};

/** Held down, these would score or submit a case that nobody looked at. */
const ONCE = new Set(["score", "submit", "back", "preset", "unscore", "invert", "help"]);

const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
const isControl = (element) => element.closest("button, a, summary, dialog") !== null;

/** Digits by place on the keyboard: with the French layout they would need Shift. */
function digitOf({ code, key }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  return code.startsWith("Numpad") && key !== digit ? undefined : digit; // NumLock is off
}

export function commandOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  const digit = digitOf(event);
  const isShifted = event.shiftKey && event.code.startsWith("Digit");
  if (digit !== undefined && event.key !== "=" && event.key !== "?") {
    return [isShifted ? "preset" : "score", Number(digit)];
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return NAMED[key] && [NAMED[key]];
}

export function listenToKeys(commands) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const [name, number] = commandOf(event) ?? [];
    if (!name || (event.repeat && ONCE.has(name))) return;
    if (name === "submit" && isControl(event.target)) return; // Enter presses the button
    if (event.target.closest("dialog") && name !== "help") return;
    event.preventDefault();
    commands[name](number);
  });
}
