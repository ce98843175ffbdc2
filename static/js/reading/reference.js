// A real image beside the case, for comparison: under the same window, zoom and pan as its images.

/** @import { LoadedCase } from "./types.js" */

import { copyOf, find } from "../dom.js";

export class Reference {
  /** Hidden by hand, it stays so from case to case. */
  isHidden = false;

  /**
   * `onChange` is told when there is more or less room for the images.
   * @param {HTMLElement} element
   * @param {{onChange: () => void}} on
   */
  constructor(element, { onChange }) {
    this.element = element;
    this.onChange = onChange;
  }

  /** The frame to show it in, anew for each case; none where nothing stands beside it. @param {LoadedCase} found */
  frameFor({ beside, reference }) {
    this.element.replaceChildren();
    this.update();
    if (!beside) return undefined;
    this.element.append(copyOf("reference-template"));
    if (reference?.is_prior) {
      find(this.element, ".what").textContent = "Earlier, of the same patient";
      this.element.ariaLabel = "An earlier image of the same patient";
    }
    this.update();
    const frame = find(this.element, ".frame");
    find(this.element, ".trouble").textContent = beside.trouble ?? "";
    return frame;
  }

  toggle() {
    if (!this.element.hasChildNodes()) return;
    this.isHidden = !this.isHidden;
    this.update();
    this.onChange();
  }

  update() {
    this.element.hidden = this.isHidden || !this.element.hasChildNodes();
  }
}
