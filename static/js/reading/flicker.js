// Two images: side by side, or one over the other and swapped in place, so that what differs moves.

const SWAP_EVERY_MS = 500; // two swaps a second; flashing is harmful from three flashes a second

import { findAll } from "../dom.js";

export class Flicker {
  shown = 0;
  isOn = false;
  isPossible = false;
  /** @type {number | undefined} */
  timer;
  /** The layout before a look at the other image. @type {{isOn: boolean, shown: number} | undefined} */
  peekedFrom;

  /**
   * `onSwap` is told which image a swap has brought up, `onChange` of any other layout.
   * @param {HTMLElement} images
   * @param {{onSwap: (place: number) => void, onChange: () => void}} on
   */
  constructor(images, { onSwap, onChange }) {
    this.images = images;
    this.onSwap = onSwap;
    this.onChange = onChange;
    // An image is never scored while the other one covers it.
    images.addEventListener("focusin", ({ target }) => {
      const place = this.placeOf(/** @type {Element} */ (target));
      if (place >= 0) this.show(place);
    });
    document.addEventListener("visibilitychange", () => document.hidden && this.rest());
  }

  get tiles() {
    return findAll(this.images, ".tile");
  }

  get isAlternating() {
    return this.timer !== undefined;
  }

  /** @param {Element | null} element */
  placeOf(element) {
    return this.tiles.findIndex((tile) => tile.contains(element));
  }

  /** A new case: the layout is the reader's habit and stays, where it has two images. @param {HTMLElement[]} frames */
  begin(frames) {
    this.stop();
    this.isPossible = frames.length === 2;
    this.shown = 0;
    this.apply();
  }

  /** From side by side to one over the other; from there to the other image. */
  swap() {
    if (!this.isPossible) return;
    this.stop();
    if (this.isOn) this.shown = 1 - this.shown;
    this.isOn = true;
    this.apply();
    this.onSwap(this.shown);
  }

  sideBySide() {
    this.stop();
    this.isOn = false;
    this.apply();
  }

  /** Swap by itself until told otherwise; the focus stays where it is. */
  alternate() {
    if (this.isAlternating) return this.rest();
    if (!this.isPossible) return;
    this.stop();
    this.isOn = true;
    this.timer = setInterval(() => this.turn(), SWAP_EVERY_MS);
    this.turn();
  }

  turn() {
    this.shown = 1 - this.shown;
    this.apply();
  }

  /** The other image as long as a key is held; then all is as it was. @param {boolean} isHeld */
  peek(isHeld) {
    if (isHeld === Boolean(this.peekedFrom) || (isHeld && !this.isPossible)) return;
    if (!isHeld) return this.stop();
    this.stop();
    this.peekedFrom = { isOn: this.isOn, shown: this.shown };
    this.isOn = true;
    this.turn();
  }

  /** Nothing moves any more; where one of the two has the focus, it is the one in sight. */
  rest() {
    if (!this.isAlternating && !this.peekedFrom) return;
    this.stop();
    const place = this.placeOf(document.activeElement);
    if (place >= 0) this.shown = place;
    this.apply();
  }

  /** @param {number} place */
  show(place) {
    if (place === this.shown && !this.isAlternating && !this.peekedFrom) return;
    this.stop();
    this.shown = place;
    this.apply();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    const before = this.peekedFrom;
    this.peekedFrom = undefined;
    if (!before) return;
    Object.assign(this, before);
    this.apply();
  }

  apply() {
    const layout = this.isPossible && this.isOn ? "flicker" : "side";
    Object.assign(this.images.dataset, { layout, shown: String(this.shown) });
    this.onChange();
  }
}
