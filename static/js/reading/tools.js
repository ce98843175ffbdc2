// The buttons that change how the pictures are seen, and the commands behind them and their keys.

/** @import { Bindings } from "./bindings.js" */
/** @import { Enlarger } from "./enlarged.js" */
/** @import { Flicker } from "./flicker.js" */
/** @import { Lens } from "./lens.js" */
/** @import { Ruler } from "./ruler.js" */
/** @import { Commands } from "./types.js" */
/** @import { Viewer } from "./viewer.js" */
/** @typedef {{command: string, text: string, bindings: Bindings}} Named A command, and what it is called. */

import { byId } from "../dom.js";
import { COMMANDS, spell } from "./bindings.js";
const ZOOM_STEP = 1.25;
const PAN_STEP = 0.1; // of the frame
const WINDOW_STEP_PX = 8;

/**
 * `askForMotion(does)` does it, but asks first a reader whose system wants things to keep still;
 * `focused()` is the number of the image in focus.
 * @param {object} parts
 * @param {Viewer} parts.viewer
 * @param {Flicker} parts.flicker
 * @param {Enlarger} parts.enlarger
 * @param {Ruler} parts.ruler
 * @param {Lens} parts.lens
 * @param {Bindings} parts.bindings
 * @param {ViewTools} parts.viewTools
 * @param {() => number} parts.focused
 * @param {(does: () => void) => void} parts.askForMotion
 * @returns {Commands}
 */
export const viewCommands = ({ viewer, flicker, enlarger, ruler, lens, bindings, viewTools, focused, askForMotion }) => {
  const presets = [1, 2, 3, 4].map((number) => [`preset${number}`, () => viewer.preset(number)]);
  return {
    ...Object.fromEntries(presets),
    invert: () => viewer.invert(),
    brighter: () => viewer.dragWindow(0, -WINDOW_STEP_PX),
    darker: () => viewer.dragWindow(0, WINDOW_STEP_PX),
    narrower: () => viewer.dragWindow(-WINDOW_STEP_PX, 0),
    wider: () => viewer.dragWindow(WINDOW_STEP_PX, 0),
    zoomIn: () => viewer.zoomBy(ZOOM_STEP),
    zoomOut: () => viewer.zoomBy(1 / ZOOM_STEP),
    panLeft: () => viewer.panBy(-PAN_STEP, 0),
    panRight: () => viewer.panBy(PAN_STEP, 0),
    panUp: () => viewer.panBy(0, -PAN_STEP),
    panDown: () => viewer.panBy(0, PAN_STEP),
    oneToOne: () => viewer.oneToOne(),
    fit: () => viewer.fit(),
    resetView: () => viewer.reset(),
    mask: () => viewer.toggleMask(),
    maskTint: () => bindings.choose("maskStyle", bindings.choice("maskStyle") === "tint" ? "outline" : "tint"),
    annotations: () => viewTools.toggleAnnotations(),
    enlarge: () => enlarger.toggle(focused()),
    ruler: () => ruler.toggle(),
    magnify: () => lens.toggle(),
    flicker: () => flicker.swap(),
    alternate: () => (flicker.isPossible && !flicker.isAlternating ? askForMotion(() => flicker.alternate()) : flicker.rest()),
    peek: (/** @type {boolean} */ isHeld) => flicker.peek(isHeld),
    sideBySide: () => flicker.sideBySide(),
  };
};

/** A button, its command, and what it is called; the key in its title is the reader's own. */
const BUTTONS = [
  ["mask", "mask", "Show the mask"],
  ["mask-outline", "maskTint", "The mask as an outline only"],
  ["hide-annotations", "annotations", "Hide masks, regions and measures"],
  ["ruler", "ruler", "Measure a length"],
  ["lens", "magnify", "Magnifying glass"],
  ["flicker", "flicker", "Flicker: one image over the other"],
  ["alternate", "alternate", "Flicker by itself, twice a second"],
  ["side-by-side", "sideBySide", "Side by side"],
  ["invert", "invert", "Invert"],
  ["zoom-out", "zoomOut", "Zoom out"],
  ["zoom-in", "zoomIn", "Zoom in"],
  ["one-to-one", "oneToOne", "1:1, an image pixel on a screen pixel"],
  ["fit", "fit", "Fit to the frame"],
  ["view", "resetView", "Reset window, zoom and pan"],
];

/** The same where the command lasts as long as the button is held down. */
const HELD_BUTTONS = [["peek", "peek", "Hold for a look at the other image"]];
const PRESSING_KEYS = ["Enter", " "];

export class ViewTools {
  /**
   * `onDone()` gives the focus back to the scale, where digits belong.
   * @param {{commands: Commands, bindings: Bindings, onDone: () => void}} parts
   */
  wire({ commands, bindings, onDone }) {
    for (const [id, command, text] of BUTTONS) {
      const button = byId(id);
      button.addEventListener("click", () => {
        commands[command]();
        onDone();
      });
      nameKeys(button, { command, text, bindings });
    }
    for (const [id, command, text] of HELD_BUTTONS) {
      const button = byId(id);
      wireHeld(button, { command: commands[command], onDone });
      nameKeys(button, { command, text, bindings });
    }
    this.wirePresets({ commands, onDone });
  }

  /** @param {{commands: Commands, onDone: () => void}} parts */
  wirePresets({ commands, onDone }) {
    const list = Object.assign(document.createElement("select"), { id: "presets", title: "Window preset" });
    list.setAttribute("aria-label", "Window preset");
    const presets = COMMANDS.filter(({ name }) => name.startsWith("preset"));
    list.append(new Option("Window", ""), ...presets.map(({ name, text }) => new Option(text, name)));
    byId("one-to-one").before(list);
    list.addEventListener("change", () => {
      commands[list.value]();
      list.value = ""; // the window goes on changing, so that the list names none
      onDone();
    });
  }

  /** @param {Pick<Viewer, "hasMask" | "maskShown">} view */
  showView({ hasMask, maskShown }) {
    byId("mask").hidden = !hasMask;
    byId("mask").setAttribute("aria-pressed", String(maskShown));
    byId("mask-outline").hidden = !(hasMask && maskShown);
  }

  /** @param {string} style "tint" or "outline" */
  showMaskStyle(style) {
    byId("images").dataset.mask = style;
    byId("mask-outline").setAttribute("aria-pressed", String(style === "outline"));
  }

  toggleAnnotations(isHidden = !byId("images").classList.contains("bare")) {
    byId("images").classList.toggle("bare", isHidden);
    byId("hide-annotations").setAttribute("aria-pressed", String(isHidden));
  }

  /** @type {(isOut: boolean, hint: string) => void} */
  showRuler(isOut, hint) {
    byId("ruler").setAttribute("aria-pressed", String(isOut));
    byId("images").classList.toggle("measuring", isOut);
    byId("tool-hint").textContent = hint;
    byId("tool-hint").hidden = !hint;
  }

  /** @param {boolean} isOn */
  showLens(isOn) {
    byId("lens").setAttribute("aria-pressed", String(isOn));
    byId("images").classList.toggle("magnifying", isOn);
  }

  /** @param {Pick<Flicker, "isPossible" | "isOn" | "isAlternating">} layout */
  showLayout({ isPossible, isOn, isAlternating }) {
    for (const id of ["flicker", "alternate", "peek", "side-by-side"]) byId(id).hidden = !isPossible;
    byId("alternate").setAttribute("aria-pressed", String(isAlternating));
    byId("flicker").setAttribute("aria-pressed", String(isPossible && isOn));
    byId("side-by-side").setAttribute("aria-pressed", String(isPossible && !isOn));
  }
}

/** @type {(button: HTMLElement, named: Named) => void} */
const nameKeys = (button, { command, text, bindings }) =>
  button.addEventListener("pointerenter", () => {
    const keys = bindings.keysOf(command).map(spell).join(", ");
    button.title = keys ? `${text} (${keys})` : text;
  });

/** `command(true)` as the button goes down, `command(false)` as it comes up, wherever the hand is then. @type {(button: HTMLElement, parts: {command: (isHeld: boolean) => void, onDone: () => void}) => void} */
const wireHeld = (button, { command, onDone }) => {
  const press = () => {
    button.setAttribute("aria-pressed", "true");
    command(true);
  };
  const release = () => {
    if (button.getAttribute("aria-pressed") !== "true") return;
    button.setAttribute("aria-pressed", "false");
    command(false);
    onDone();
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(kind, release);
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is no menu
  button.addEventListener("keydown", (event) => {
    if (!PRESSING_KEYS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) press();
  });
  button.addEventListener("keyup", ({ key }) => {
    if (PRESSING_KEYS.includes(key)) release();
  });
};
