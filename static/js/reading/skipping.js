// The dialog that `S` opens: a case that cannot be read is left with a reason.

/** @import { SkipReason } from "./types.js" */

import { copyOf, find, findAll, findAs } from "../dom.js";
import { digitOf } from "./keys.js";

export class SkipDialog {
  /**
   * `onSkip` sends it; `onClose` gives the focus back.
   * @param {HTMLDialogElement} element
   * @param {{onSkip: (reason: string, comment: string) => void, onClose: () => void}} on
   */
  constructor(element, { onSkip, onClose }) {
    this.element = element;
    this.onSkip = onSkip;
    this.form = findAs(element, "form", HTMLFormElement);
    this.reasons = find(element, ".reasons");
    this.comment = findAs(element, "textarea", HTMLTextAreaElement);
    this.lack = find(element, ".lack");
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.addEventListener("change", () => this.tell(""));
    this.comment.addEventListener("input", () => this.tell(""));
    element.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("close", onClose);
    find(element, ".cancel").addEventListener("click", () => element.close());
  }

  /** @param {{reasons: SkipReason[], reason: string, comment: string}} about */
  open({ reasons, reason, comment }) {
    this.reasons.replaceChildren(...reasons.map((one, number) => makeReason(one, number)));
    this.comment.value = comment;
    this.tell("");
    this.element.showModal();
    const chosen = reasons.findIndex(({ slug }) => slug === reason);
    this.choose(Math.max(0, chosen));
  }

  /** @param {number} number */
  choose(number) {
    const input = this.inputs[number];
    if (!input) return;
    input.checked = true;
    input.focus();
    this.tell("");
  }

  get inputs() {
    return /** @type {HTMLInputElement[]} */ (findAll(this.reasons, "input"));
  }

  /**
   * Digits choose a reason; Enter skips, as its button says, and Shift+Enter makes a new line in
   * the comment. On a button, Enter presses the button.
   * @param {KeyboardEvent} event
   */
  press(event) {
    const digit = digitOf(event);
    const isInComment = event.target === this.comment;
    if (digit && !isInComment) this.choose(digit - 1);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !(event.target instanceof HTMLButtonElement)) {
      this.form.requestSubmit();
    } else return;
    event.preventDefault();
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault();
    const reason = String(new FormData(this.form).get("reason"));
    const comment = this.comment.value.trim();
    if (reason === "other" && !comment) {
      this.tell("Say in the comment why.");
      this.comment.focus();
      return;
    }
    this.element.close();
    this.onSkip(reason, comment);
  }

  /** @param {string} lack */
  tell(lack) {
    this.lack.textContent = lack;
  }
}

/** @type {(reason: SkipReason, number: number) => HTMLElement} */
function makeReason({ slug, label }, number) {
  const row = copyOf("reason-template");
  findAs(row, "input", HTMLInputElement).value = slug;
  find(row, "span").textContent = label;
  find(row, "kbd").textContent = String(number + 1);
  return row;
}
