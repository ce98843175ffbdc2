// Fetching cases with their pictures, decoded and ready to paint, before they are wanted.

/** @import { LoadedCase, Picture, Size, TestCase } from "./types.js" */

import { Refused, askJson, askPicture } from "./server.js";

const KEPT = 4; // the one on screen, those beside it, and one to come back to

/** A picture that cannot be had is black and tells why, so that the rest of its case is usable. @type {(image: Size & {address: string}) => Promise<Picture>} */
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

/** The grey values exactly as stored: no colour management, no alpha. @param {Size & {address: string}} image */
async function loadGrey({ address, width, height }) {
  const blob = await askPicture(address);
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let at = 0; at < grey.length; at++) grey[at] = data[4 * at];
  return grey;
}

/** @type {(found: TestCase) => Promise<LoadedCase>} */
async function loadPictures(found) {
  const [{ width, height }] = found.images;
  const loadMask = async (/** @type {TestCase["masks"][number]} */ { kind, label, address }) => ({
    kind,
    label,
    picture: await loadPicture({ address, width, height }),
  });
  const { reference } = found;
  const [masks, pictures, beside] = await Promise.all([
    Promise.all(found.masks.map(loadMask)),
    Promise.all(found.images.map(loadPicture)),
    reference && loadPicture(reference),
  ]);
  return { ...found, pictures, masks, beside: beside && { ...beside, spacing_mm: reference?.spacing_mm } };
}

export class Cases {
  /** By slot, the oldest first. @type {Map<string, Promise<LoadedCase>>} */
  loading = new Map();
  kept = KEPT;

  /** @param {{addressOf: (slot: string) => string}} parts */
  constructor({ addressOf }) {
    this.addressOf = addressOf;
  }

  /**
   * The case of a slot; `given` is its JSON where the page brought it along.
   * @type {(slot: string, given?: TestCase) => Promise<LoadedCase>}
   */
  get(slot, given) {
    const known = this.loading.get(slot);
    if (known) return known;
    const found = given ? Promise.resolve(given) : askJson(this.addressOf(slot));
    const whole = found.then(loadPictures);
    this.loading.set(slot, whole);
    // A failure is for whoever waits for it, and must not stay: the next try may succeed.
    whole.catch(() => this.loading.delete(slot));
    this.trim();
    return whole;
  }

  /** What the server has for the slot changed, so it is asked again. @param {string} slot */
  drop(slot) {
    this.loading.delete(slot);
  }

  /** What the server has for all other slots changed. @param {string} slot */
  keepOnly(slot) {
    for (const other of this.loading.keys()) if (other !== slot) this.loading.delete(other);
  }

  trim() {
    for (const slot of this.loading.keys()) {
      if (this.loading.size <= this.kept) return;
      this.loading.delete(slot);
    }
  }
}
