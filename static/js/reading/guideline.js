// The guideline of the study: how to read, and what scores and flags look like, by one key.

/** @typedef {{kind: "heading" | "item" | "paragraph", text: string}} Block */
/** @typedef {{about: string, note: string, address: string}} Example */
/** @typedef {{study: string, fixed: string, blocks: Block[], examples: Example[]}} Guide */

import { byId, find } from "../dom.js";
import { askJson } from "./server.js";

const TAGS = { heading: "h3", item: "li", paragraph: "p" };

/** Text is set as text, whatever it holds. @type {(tag: string, textContent: string) => HTMLElement} */
const make = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });

export class Guideline {
  /** By address, so that it is at hand without a network. @type {Map<string, Promise<Guide>>} */
  guides = new Map();

  /**
   * @param {HTMLDialogElement} element
   * @param {{onClose: () => void}} on To give the focus back.
   */
  constructor(element, { onClose }) {
    this.element = element;
    element.addEventListener("close", onClose);
    find(element, ".close").addEventListener("click", () => element.close());
  }

  /** @param {string} address */
  get(address) {
    const known = this.guides.get(address);
    if (known) return known;
    /** @type {Promise<Guide>} */
    const guide = askJson(address);
    this.guides.set(address, guide);
    guide.catch(() => this.guides.delete(address)); // the next try may succeed
    return guide;
  }

  /** The case is on screen: its guideline is fetched before it is wanted; what phases tell may have changed. @type {(found: {guideline: string, phase_note: string}) => void} */
  prepare({ guideline, phase_note: note }) {
    byId("open-guideline").hidden = !guideline;
    if (note) this.guides.delete(guideline);
    if (guideline) this.get(guideline).catch(() => {}); // told when it is opened
  }

  /** @param {string} address */
  async toggle(address) {
    if (this.element.open) return this.element.close();
    if (!address) return;
    this.element.showModal();
    try {
      this.show(await this.get(address));
    } catch {
      find(this.element, ".text").replaceChildren(make("p", "The guideline cannot be had now: the server cannot be reached."));
    }
  }

  /** @param {Guide} guide */
  show({ study, fixed, blocks, examples }) {
    find(this.element, ".of").textContent = fixed ? `${study} · as it was when the study opened, ${fixed}` : study;
    find(this.element, ".text").replaceChildren(...setBlocks(blocks));
    find(this.element, ".examples").replaceChildren(...examples.map(makeExample));
  }
}

/** Items that follow each other are one list. @param {Block[]} blocks */
function setBlocks(blocks) {
  /** @type {HTMLElement[]} */
  const set = [];
  for (const { kind, text } of blocks) {
    const line = make(TAGS[kind], text);
    const last = set.at(-1);
    if (kind !== "item") set.push(line);
    else if (last?.tagName === "UL") last.append(line);
    else {
      const list = document.createElement("ul");
      list.append(line);
      set.push(list);
    }
  }
  return set;
}

/** @param {Example} example */
function makeExample({ about, note, address }) {
  const figure = document.createElement("figure");
  const image = Object.assign(new Image(), { src: address, alt: about, loading: "lazy" });
  const caption = make("figcaption", "");
  caption.append(make("b", about), ...(note ? [document.createElement("br"), note] : []));
  figure.append(image, caption);
  return figure;
}
