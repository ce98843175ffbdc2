// What the page has to say without stopping anybody: one line at a time, the gravest first.

import { find } from "../dom.js";

/** @typedef {{label: string, does: () => unknown}} Action */
/** @typedef {{text: string, actions: Action[]}} Notice */

const KINDS = ["login", "refused", "storage", "paused", "lost", "elsewhere", "trouble", "motion", "break"];

export class Notices {
  /** @type {Map<string, Notice>} */
  said = new Map();
  /** @type {Notice | undefined} */
  shown;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /**
   * What can be dismissed says so by an action.
   * @param {string} kind
   * @param {string} text
   * @param {Action[]} [actions]
   */
  say(kind, text, actions = []) {
    if (this.said.get(kind)?.text === text) return; // repeated: nothing flickers, nothing is read out
    this.said.set(kind, { text, actions });
    this.show();
  }

  /** @param {string[]} kinds */
  clear(...kinds) {
    for (const kind of kinds) this.said.delete(kind);
    this.show();
  }

  show() {
    const first = this.said.get(KINDS.find((kind) => this.said.has(kind)) ?? "");
    if (first === this.shown) return;
    this.shown = first;
    find(this.element, "p").textContent = first?.text ?? "";
    find(this.element, ".actions").replaceChildren(...(first?.actions ?? []).map(actionOf));
    this.element.hidden = !first;
  }
}

/** @param {Action} action */
function actionOf({ label, does }) {
  const button = Object.assign(document.createElement("button"), { textContent: label });
  button.addEventListener("click", does);
  return button;
}
