// The comment on the case: a panel over the pictures that `C` opens and Escape closes.

export class CommentPanel {
  /** `onInput(text)` as it is typed; `onClose()` gives the focus back. */
  constructor(element, { onInput, onClose }) {
    Object.assign(this, { element, onClose });
    this.field = element.querySelector("textarea");
    this.field.addEventListener("input", () => onInput(this.field.value));
    this.field.addEventListener("keydown", (event) => this.press(event));
    element.querySelector("button").addEventListener("click", () => this.close());
  }

  open() {
    this.element.hidden = false;
    this.field.focus();
  }

  close() {
    this.element.hidden = true;
    this.onClose();
  }

  press(event) {
    const isDone = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    if (!isDone) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }
}
