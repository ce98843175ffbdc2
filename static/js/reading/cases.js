// Fetching cases with their pictures, decoded and ready to paint, before they are wanted.

import { Refused, askJson, askPicture } from "./server.js";

const KEPT = 4;

/** A picture that cannot be had is black and tells why, so that the rest of its case is usable. */
async function loadPicture({ address, width, height }) {
  try {
    return { width, height, grey: await loadGrey({ address, width, height }) };
  } catch (error) {
    const isDamaged = error instanceof DOMException; // what decoding throws
    if (!(error instanceof Refused) && !isDamaged) throw error;
    const trouble = isDamaged ? "The picture is damaged." : error.message;
    return { width, height, grey: new Uint8Array(width * height), trouble };
  }
}

/** The grey values exactly as stored: no colour management, no alpha. */
async function loadGrey({ address, width, height }) {
  const blob = await askPicture(address);
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let at = 0; at < grey.length; at++) grey[at] = data[4 * at];
  return grey;
}

async function loadPictures(found) {
  const [{ width, height }] = found.images;
  const loadMask = async ({ kind, label, address }) => ({
    kind,
    label,
    picture: await loadPicture({ address, width, height }),
  });
  const [masks, pictures] = await Promise.all([
    Promise.all(found.masks.map(loadMask)),
    Promise.all(found.images.map(loadPicture)),
  ]);
  return { ...found, pictures, masks };
}

export class Cases {
  constructor({ addressOf }) {
    this.addressOf = addressOf;
    this.loading = new Map(); // slot -> promise, the oldest first
  }

  /** The case of a slot; `given` is its JSON where the page brought it along. */
  get(slot, given) {
    if (!this.loading.has(slot)) {
      const found = given ? Promise.resolve(given) : askJson(this.addressOf(slot));
      const whole = found.then(loadPictures);
      this.loading.set(slot, whole);
      // A failure is for whoever waits for it, and must not stay: the next try may succeed.
      whole.catch(() => this.loading.delete(slot));
      this.trim();
    }
    return this.loading.get(slot);
  }

  /** What the server has for the slot changed, so it is asked again. */
  drop(slot) {
    this.loading.delete(slot);
  }

  trim() {
    for (const slot of this.loading.keys()) {
      if (this.loading.size <= KEPT) return;
      this.loading.delete(slot);
    }
  }
}
