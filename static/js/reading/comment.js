// The comment on the case: a panel over the pictures that `C` opens and Escape closes.

import { find, findAs } from "../dom.js";

export class CommentPanel {
  /**
   * @param {HTMLElement} element
   * @param {{onInput: (text: string) => void, onClose: () => void}} on As it is typed; and to give the focus back.
   */
  constructor(element, { onInput, onClose }) {
    this.element = element;
    this.onClose = onClose;
    this.field = findAs(element, "textarea", HTMLTextAreaElement);
    this.field.addEventListener("input", () => onInput(this.field.value));
    this.field.addEventListener("keydown", (event) => this.press(event));
    find(element, "button").addEventListener("click", () => this.close());
  }

  open() {
    this.element.hidden = false;
    this.field.focus();
  }

  close() {
    this.element.hidden = true;
    this.onClose();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const isDone = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    if (!isDone) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }
}
