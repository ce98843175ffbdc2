// The dialog that `S` opens: a case that cannot be read is left with a reason.

import { digitOf } from "./keys.js";

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class SkipDialog {
  /** `onSkip(reason, comment)` sends it; `onClose()` gives the focus back. */
  constructor(element, { onSkip, onClose }) {
    Object.assign(this, { element, onSkip });
    this.form = element.querySelector("form");
    this.reasons = element.querySelector(".reasons");
    this.comment = element.querySelector("textarea");
    this.lack = element.querySelector(".lack");
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.addEventListener("change", () => this.tell(""));
    this.comment.addEventListener("input", () => this.tell(""));
    element.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("close", onClose);
    element.querySelector(".cancel").addEventListener("click", () => element.close());
  }

  open({ reasons, reason, comment }) {
    this.reasons.replaceChildren(...reasons.map((one, number) => makeReason(one, number)));
    this.comment.value = comment;
    this.tell("");
    this.element.showModal();
    const chosen = reasons.findIndex(({ slug }) => slug === reason);
    this.choose(Math.max(0, chosen));
  }

  choose(number) {
    const input = this.reasons.querySelectorAll("input")[number];
    if (!input) return;
    input.checked = true;
    input.focus();
    this.tell("");
  }

  /** Digits choose a reason; Enter skips, in the comment with Ctrl. */
  press(event) {
    const digit = digitOf(event);
    const isInComment = event.target === this.comment;
    if (digit && !isInComment) this.choose(digit - 1);
    else if (event.key === "Enter" && (event.ctrlKey || event.target.type === "radio")) {
      this.form.requestSubmit();
    } else return;
    event.preventDefault();
  }

  submit(event) {
    event.preventDefault();
    const reason = new FormData(this.form).get("reason");
    const comment = this.comment.value.trim();
    if (reason === "other" && !comment) {
      this.tell("Say in the comment why.");
      this.comment.focus();
      return;
    }
    this.element.close();
    this.onSkip(reason, comment);
  }

  tell(lack) {
    this.lack.textContent = lack;
  }
}

function makeReason({ slug, label }, number) {
  const row = copyOf("reason-template");
  row.querySelector("input").value = slug;
  row.querySelector("span").textContent = label;
  row.querySelector("kbd").textContent = number + 1;
  return row;
}
