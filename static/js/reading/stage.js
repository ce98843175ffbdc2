// Brings a case on screen: its pictures, what is around them, its address.

/** @import { Bookmark } from "./bookmark.js" */
/** @import { Chrome } from "./chrome.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Enlarger } from "./enlarged.js" */
/** @import { Reactions } from "./modes/base.js" */
/** @import { Others } from "./others.js" */
/** @import { Reference } from "./reference.js" */
/** @import { Viewer } from "./viewer.js" */

import { takesAnswers } from "./answers.js";

export class Stage {
  /** @param {{images: HTMLElement, viewer: Viewer, enlarger: Enlarger, chrome: Chrome, bookmark: Bookmark, others: Others, reference: Reference, addressOf: (slot: string) => string}} parts */
  constructor({ images, viewer, enlarger, chrome, bookmark, others, reference, addressOf }) {
    this.images = images;
    this.viewer = viewer;
    this.enlarger = enlarger;
    this.chrome = chrome;
    this.bookmark = bookmark;
    this.others = others;
    this.reference = reference;
    this.addressOf = addressOf;
  }

  /** @type {(desk: Desk, about: {previous: string | null | undefined, leaving: Pick<Reactions, "skip" | "tryAgain" | "submit">}) => void} */
  show(desk, { previous, leaving }) {
    const { case: found, mode } = desk;
    const elements = desk.build(leaving);
    this.chrome.showCase(found, { previous }); // first: it sets the layout that the viewer measures
    this.others.list(found);
    this.images.replaceChildren(...elements);
    const frame = this.reference.frameFor(found);
    const beside = frame && found.beside ? { frame, picture: found.beside } : undefined;
    this.viewer.show(mode.tiles.map((tile) => tile.frame), found.pictures, beside);
    this.viewer.showMasks(found.masks);
    this.others.draw(found, this.viewer.frames);
    if (!takesAnswers(found)) mode.disable();
    for (const tile of mode.tiles) {
      const { trouble } = found.pictures[tile.place];
      if (trouble) tile.showTrouble(trouble);
    }
    history.replaceState(null, "", this.addressOf(found.slot));
    this.chrome.showComment(desk.answers.comment);
    this.bookmark.show(found);
  }
}
