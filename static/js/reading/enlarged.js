// One image of several over the whole stage, and back to all of them.

import { findAll, targetOf } from "../dom.js";

export class Enlarger {
  /** Which image is enlarged. @type {number | undefined} */
  place;

  /**
   * @param {HTMLElement} images
   * @param {{onChange: () => void}} on The frames have another size now.
   */
  constructor(images, { onChange }) {
    this.images = images;
    this.onChange = onChange;
    images.addEventListener("click", (event) => {
      const button = targetOf(event).closest(".enlarge");
      if (button) this.toggle(this.tiles.findIndex((tile) => tile.contains(button)));
    });
  }

  get tiles() {
    return findAll(this.images, ".tile");
  }

  get isPossible() {
    return this.tiles.length > 1;
  }

  get isOn() {
    return this.place !== undefined;
  }

  /** @param {number} place */
  toggle(place) {
    this.show(this.isOn || !this.isPossible ? undefined : place);
  }

  /** An image is never scored while another one covers it. @param {number} place */
  bringForward(place) {
    if (this.isOn) this.show(place);
  }

  /** A new case is seen as a whole first. */
  begin() {
    this.show(undefined);
  }

  /** @param {number | undefined} place */
  show(place) {
    if (place === this.place) return;
    this.place = place;
    this.images.classList.toggle("enlarged", this.isOn);
    this.tiles.forEach((tile, at) => {
      tile.classList.toggle("in-front", at === place);
    });
    this.onChange();
  }
}
