// A magnifying glass: on every picture at the same place, since they are compared.

/** @import { Panel } from "./panel.js" */
/** @import { Place } from "./types.js" */

import { targetOf } from "../dom.js";

const DIAMETER_PX = 240;
const POWER = 2.5; // times what is on screen

export class Lens {
  isOn = false;
  /** Where it is held, in pixels of a frame; in the middle until a hand points somewhere. @type {Place | undefined} */
  at;
  /** @type {Map<Panel, HTMLCanvasElement>} */
  glasses = new Map();

  /**
   * @param {HTMLElement} images
   * @param {{panels: () => Panel[], onChange: (isOn: boolean) => void}} parts `panels` are those in sight.
   */
  constructor(images, { panels, onChange }) {
    this.panels = panels;
    this.onChange = onChange;
    images.addEventListener("pointermove", (event) => this.follow(event), { capture: true, passive: true });
  }

  toggle() {
    this.isOn = !this.isOn;
    this.at = undefined;
    this.onChange(this.isOn);
    if (this.isOn) this.refresh();
    else this.clear();
  }

  clear() {
    for (const glass of this.glasses.values()) glass.remove();
    this.glasses.clear();
  }

  /** @param {PointerEvent} event */
  follow(event) {
    if (!this.isOn) return;
    const panel = this.panels().find(({ frame }) => frame.contains(targetOf(event)));
    if (!panel) return;
    this.at = panel.pointAt(event);
    this.refresh();
  }

  /** After the next painting: what is magnified is what is on screen. */
  refresh() {
    if (this.isOn) requestAnimationFrame(() => this.isOn && this.draw());
  }

  draw() {
    const panels = this.panels();
    for (const [panel, glass] of this.glasses) if (!panels.includes(panel)) glass.remove();
    for (const panel of panels) this.drawOn(panel);
  }

  /** @param {Panel} panel */
  drawOn(panel) {
    const glass = this.glasses.get(panel) ?? this.make(panel);
    if (!glass.isConnected) panel.frame.append(glass);
    const at = this.at ?? panel.middle;
    Object.assign(glass.style, { left: `${at.x - DIAMETER_PX / 2}px`, top: `${at.y - DIAMETER_PX / 2}px` });
    const under = panel.imageAt(at);
    const seen = DIAMETER_PX / POWER / panel.scale; // pixels of the image across the glass
    const context = /** @type {CanvasRenderingContext2D} */ (glass.getContext("2d"));
    context.fillRect(0, 0, glass.width, glass.height);
    context.drawImage(panel.context.canvas, under.x - seen / 2, under.y - seen / 2, seen, seen, 0, 0, glass.width, glass.height);
  }

  /** @param {Panel} panel */
  make(panel) {
    const side = Math.round(DIAMETER_PX * devicePixelRatio);
    const glass = Object.assign(document.createElement("canvas"), { className: "lens", width: side, height: side });
    glass.setAttribute("aria-hidden", "true");
    glass.style.width = `${DIAMETER_PX}px`;
    this.glasses.set(panel, glass);
    return glass;
  }
}
