// After a training case, or a gold case that teaches: the reference answer and its reason.

/** @import { Feedback } from "./types.js" */

import { find } from "../dom.js";

const make = (/** @type {string} */ tag, /** @type {string} */ textContent) => Object.assign(document.createElement(tag), { textContent });

export class FeedbackDialog {
  /** @param {HTMLDialogElement} element */
  constructor(element) {
    this.element = element;
  }

  /** Resolves once the reader goes on. @type {(feedback: Feedback) => Promise<void>} */
  show({ right, asked, reason, answers }) {
    find(this.element, "h2").textContent = right === asked ? "Right" : `${right} of ${asked} right`;
    find(this.element, "tbody").replaceChildren(...answers.map(makeRow));
    find(this.element, ".reason").textContent = reason;
    return new Promise((done) => {
      this.element.addEventListener("close", () => done(), { once: true });
      this.element.showModal();
    });
  }
}

/** @param {Feedback["answers"][number]} answer */
function makeRow({ criterion, image, given, expected, is_right: isRight }) {
  const row = document.createElement("tr");
  row.className = isRight ? "right" : "wrong";
  row.append(make("th", image ? `${image} · ${criterion}` : criterion), make("td", given), make("td", expected), make("td", isRight ? "✓" : "✗"));
  return row;
}
