// What each key and mouse button does: defaults, and what a reader has changed of them.
//
// A key is written as browsers name it ("f", "+", "Enter"), with "Shift+" before it where Shift
// does not already make another character of it, and "Ctrl+" before that.

/** @import { MouseFunction, MouseInput, StoredBindings } from "./types.js" */
/** @typedef {{group: "Answers" | "Cases" | "Window" | "View", name: string, keys: string[], text: string, repeats?: boolean, isHeld?: boolean}} Command */

/** In the order in which the map shows them; `repeats` where holding the key is harmless,
    `isHeld` where a command lasts as long as its key is held. @type {Command[]} */
export const COMMANDS = [
  { group: "Answers", name: "left", keys: ["ArrowLeft"], text: "To the left", repeats: true },
  { group: "Answers", name: "right", keys: ["ArrowRight"], text: "To the right", repeats: true },
  { group: "Answers", name: "up", keys: ["ArrowUp"], text: "Up", repeats: true },
  { group: "Answers", name: "down", keys: ["ArrowDown"], text: "Down", repeats: true },
  { group: "Answers", name: "unscore", keys: ["Backspace", "Delete"], text: "Take the score back" },
  { group: "Answers", name: "flag", keys: ["f"], text: "Flag the image" },
  { group: "Answers", name: "region", keys: ["r"], text: "Mark where a flag is" },
  { group: "Answers", name: "write", keys: ["w"], text: "Write in the report; Esc leaves it, Ctrl+Enter submits" },
  { group: "Answers", name: "comment", keys: ["c"], text: "Comment on the case" },
  { group: "Answers", name: "noneAcceptable", keys: ["n"], text: "None acceptable" },
  { group: "Answers", name: "undo", keys: ["u", "Ctrl+z"], text: "Undo" },
  { group: "Answers", name: "redo", keys: ["Shift+u", "Ctrl+y", "Ctrl+Shift+z"], text: "Redo" },
  { group: "Cases", name: "submit", keys: ["Enter"], text: "Submit; or jump to what is missing" },
  { group: "Cases", name: "back", keys: ["z"], text: "Back to the case before" },
  { group: "Cases", name: "skip", keys: ["s"], text: "Skip the case, with a reason" },
  { group: "Cases", name: "bookmark", keys: ["b"], text: "Bookmark the case" },
  { group: "Cases", name: "guideline", keys: ["k"], text: "Show or hide the guideline" },
  { group: "Cases", name: "others", keys: ["t"], text: "In an adjudication: what the readers said" },
  { group: "Cases", name: "help", keys: ["?"], text: "Show or hide this map" },
  { group: "Window", name: "preset1", keys: ["Shift+1"], text: "Full range" },
  { group: "Window", name: "preset2", keys: ["Shift+2"], text: "Lungs" },
  { group: "Window", name: "preset3", keys: ["Shift+3"], text: "Mediastinum and bones" },
  { group: "Window", name: "preset4", keys: ["Shift+4"], text: "High contrast" },
  { group: "Window", name: "brighter", keys: ["."], text: "Brighter", repeats: true },
  { group: "Window", name: "darker", keys: [","], text: "Darker", repeats: true },
  { group: "Window", name: "narrower", keys: ["["], text: "More contrast", repeats: true },
  { group: "Window", name: "wider", keys: ["]"], text: "Less contrast", repeats: true },
  { group: "Window", name: "invert", keys: ["i"], text: "Invert" },
  { group: "View", name: "zoomIn", keys: ["+"], text: "Zoom in", repeats: true },
  { group: "View", name: "zoomOut", keys: ["-"], text: "Zoom out", repeats: true },
  { group: "View", name: "panLeft", keys: ["Shift+ArrowLeft"], text: "Look left", repeats: true },
  { group: "View", name: "panRight", keys: ["Shift+ArrowRight"], text: "Look right", repeats: true },
  { group: "View", name: "panUp", keys: ["Shift+ArrowUp"], text: "Look up", repeats: true },
  { group: "View", name: "panDown", keys: ["Shift+ArrowDown"], text: "Look down", repeats: true },
  { group: "View", name: "oneToOne", keys: ["o"], text: "One to one" },
  { group: "View", name: "fit", keys: ["Home"], text: "Fit to the frame" },
  { group: "View", name: "resetView", keys: ["="], text: "Reset window, zoom and pan" },
  { group: "View", name: "mask", keys: ["m"], text: "Show or hide the mask" },
  { group: "View", name: "maskTint", keys: ["Shift+m"], text: "The mask as an outline only, or tinted" },
  { group: "View", name: "reference", keys: ["v"], text: "Show or hide the real image beside the case" },
  { group: "View", name: "annotations", keys: ["h"], text: "Hide masks, regions and measures, or show them" },
  { group: "View", name: "enlarge", keys: ["e"], text: "Enlarge one image, and back" },
  { group: "View", name: "ruler", keys: ["l"], text: "Measure a length: start or stop" },
  { group: "View", name: "magnify", keys: ["g"], text: "Magnifying glass: take or put away" },
  { group: "View", name: "flicker", keys: ["x"], text: "Flicker: swap the two images" },
  { group: "View", name: "alternate", keys: ["a"], text: "Flicker by itself: start or stop" },
  { group: "View", name: "peek", keys: ["p"], text: "Held: a look at the other image", isHeld: true },
  { group: "View", name: "sideBySide", keys: ["Shift+x"], text: "Side by side again" },
];

const MOUSE_FUNCTIONS = { window: "Window", pan: "Pan", zoom: "Zoom" };
const BETWEEN_CASES = { kept: "kept", reset: "reset" };

/**
 * What a reader chooses beside keys. `slot` is where it is kept among the bindings, `does` the
 * default, `options` what else there is, in words.
 * @typedef {{group: "Mouse and touch" | "Between cases", slot: string, does: string, text: string, options: Record<string, string>}} Choice
 */
/** @type {Choice[]} */
export const CHOICES = [
  { group: "Mouse and touch", slot: "mouseLeft", does: "window", text: "Left drag", options: MOUSE_FUNCTIONS },
  { group: "Mouse and touch", slot: "mouseMiddle", does: "pan", text: "Middle drag", options: MOUSE_FUNCTIONS },
  { group: "Mouse and touch", slot: "mouseRight", does: "zoom", text: "Right drag", options: MOUSE_FUNCTIONS },
  { group: "Mouse and touch", slot: "mouseWheel", does: "zoom", text: "Wheel", options: MOUSE_FUNCTIONS },
  {
    group: "Mouse and touch",
    slot: "mouseDouble",
    does: "enlarge",
    text: "Double click",
    options: { enlarge: "Enlarge one of several images, and back", reset: "Reset window, zoom and pan" },
  },
  { group: "Between cases", slot: "nextWindow", does: "reset", text: "Window", options: BETWEEN_CASES },
  { group: "Between cases", slot: "nextZoom", does: "reset", text: "Zoom and pan", options: BETWEEN_CASES },
  { group: "Between cases", slot: "nextInvert", does: "kept", text: "Inversion", options: BETWEEN_CASES },
  { group: "Between cases", slot: "nextMask", does: "reset", text: "A mask that is shown", options: BETWEEN_CASES },
  {
    group: "Between cases",
    slot: "ahead",
    does: "3",
    text: "Cases kept ready, for when the network goes",
    options: { 1: "one", 3: "three", 5: "five", 8: "eight" },
  },
  {
    group: "Between cases",
    slot: "maskStyle",
    does: "tint",
    text: "A mask is drawn",
    options: { tint: "as an outline with a tint", outline: "as an outline only" },
  },
];

/** These have one meaning for every reader, or belong to the browser. */
const isFixed = (/** @type {string} */ key) =>
  /^(?:[0-9]|(?:Shift\+)?(?:Tab|Escape| )|F\d+|Ctrl\+(?:Shift\+)?[acfjklnpqrtvwx])$/.test(key);

const byName = new Map(COMMANDS.map((command) => [command.name, command]));
/** @type {(value: unknown) => value is string[]} */
const isList = (value) => Array.isArray(value) && value.every((key) => typeof key === "string");
/** @type {(one: string[], other: string[]) => boolean} */
const isSame = (one, other) => one.length === other.length && one.every((key, at) => key === other[at]);

export class Bindings {
  /** What differs from the defaults. @type {StoredBindings} */
  own = {};

  /**
   * @param {Record<string, unknown> | undefined} stored Of any age: what makes no sense now is left out.
   * @param {{onChange: () => void}} on
   */
  constructor(stored, { onChange }) {
    this.onChange = onChange;
    for (const [name, keys] of Object.entries(stored ?? {})) {
      if (isList(keys) && (byName.has(name) || isChoice(name, keys))) this.own[name] = keys;
    }
  }

  /** A reader's own key wins over a default that came later. @param {string} name */
  keysOf(name) {
    if (this.own[name]) return this.own[name];
    const taken = new Set(Object.values(this.own).flat());
    return defaultsOf(name).filter((key) => !taken.has(key));
  }

  /** @param {string} key */
  commandOf(key) {
    return COMMANDS.find(({ name }) => this.keysOf(name).includes(key));
  }

  /** @type {(input: MouseInput) => MouseFunction} */
  mouse(input) {
    const slot = `mouse${input[0].toUpperCase()}${input.slice(1)}`;
    return /** @type {MouseFunction} */ (this.choice(slot));
  }

  /** What a reader has chosen, or the default. @param {string} slot */
  choice(slot) {
    return (this.own[slot] ?? defaultsOf(slot))[0];
  }

  get isDefault() {
    return Object.keys(this.own).length === 0;
  }

  /**
   * Puts `key` in the place of `old`, or beside the others; returns why not, or nothing.
   * @param {string} name
   * @param {string} key
   * @param {string} [old]
   */
  bind(name, key, old) {
    const owner = this.commandOf(key);
    if (isFixed(key)) return `${spell(key)} cannot be changed.`;
    if (owner && owner.name !== name) return `${spell(key)} already means “${owner.text}”.`;
    const keys = this.keysOf(name).filter((other) => other !== key);
    const at = keys.indexOf(old ?? "");
    this.set(name, at < 0 ? [...keys, key] : keys.with(at, key));
    return "";
  }

  /** @type {(name: string, key: string) => void} */
  unbind(name, key) {
    this.set(name, this.keysOf(name).filter((other) => other !== key));
  }

  /** @type {(slot: string, does: string) => void} */
  choose(slot, does) {
    this.set(slot, [does]);
  }

  reset() {
    this.own = {};
    this.onChange();
  }

  /** Only what differs from the defaults is kept. @type {(name: string, values: string[]) => void} */
  set(name, values) {
    if (isSame(values, defaultsOf(name))) delete this.own[name];
    else this.own[name] = values;
    this.onChange();
  }

  toJSON() {
    return this.own;
  }
}

/** @type {(name: string, values: string[]) => boolean} */
const isChoice = (name, [does]) => CHOICES.some(({ slot, options }) => slot === name && does in options);

/** Of a command its keys, of a choice its value. @type {(name: string) => string[]} */
const defaultsOf = (name) =>
  byName.get(name)?.keys ?? CHOICES.filter(({ slot }) => slot === name).map(({ does }) => does);

/** @type {Record<string, string>} */
const SPELLED = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  "-": "−",
  " ": "Space",
};

/** The caps to draw for a key: ["Shift", "1"]. @param {string} key */
export function capsOf(key) {
  const [, control, shift, cap] = /^(Ctrl\+)?(Shift\+)?(.+)$/s.exec(key) ?? [];
  const parts = [control && "Ctrl", shift && "Shift", cap].filter((part) => part !== undefined);
  return parts.map((part) => SPELLED[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

export const spell = (/** @type {string} */ key) => capsOf(key).join(" ");
