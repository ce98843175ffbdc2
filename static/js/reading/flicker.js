// Two images: side by side, or one over the other and swapped in place, so that what differs moves.

export class Flicker {
  /** `onSwap(place)` is told which image a swap has brought up. */
  constructor(images, { onSwap }) {
    Object.assign(this, { images, onSwap, shown: 0, isOn: false });
    // An image is never scored while the other one covers it.
    images.addEventListener("focusin", ({ target }) => {
      const place = this.tiles.findIndex((tile) => tile.contains(target));
      if (place >= 0) this.show(place);
    });
  }

  get tiles() {
    return [...this.images.querySelectorAll(".tile")];
  }

  /** A new case: the layout is the reader's habit and stays, where it has two images. */
  begin(frames) {
    this.isPossible = frames.length === 2;
    this.shown = 0;
    this.apply();
  }

  /** From side by side to one over the other; from there to the other image. */
  swap() {
    if (!this.isPossible) return;
    if (this.isOn) this.shown = 1 - this.shown;
    this.isOn = true;
    this.apply();
    this.onSwap(this.shown);
  }

  sideBySide() {
    this.isOn = false;
    this.apply();
  }

  show(place) {
    if (place === this.shown) return;
    this.shown = place;
    this.apply();
  }

  apply() {
    const layout = this.isPossible && this.isOn ? "flicker" : "side";
    Object.assign(this.images.dataset, { layout, shown: this.shown });
  }
}
