// A strip of cells that answers one question: by its digits, its cells, or the legend below.

/** @import { Step } from "./types.js" */

import { copyOf, find } from "../dom.js";

export class Strip {
  /** @param {{id: string, label: string, name: string, steps: Step[], question?: string, onChoose: (digit: number) => void, onFocus: () => void}} parts */
  constructor({ id, label, name, steps, question, onChoose, onFocus }) {
    this.steps = steps;
    this.element = copyOf("strip-template");
    this.element.setAttribute("aria-label", label);
    const title = find(this.element, ".strip-name");
    title.textContent = name;
    if (question) title.append(Object.assign(document.createElement("small"), { textContent: question, title: question }));
    this.cells = steps.map((step) => this.makeCell(step, { id, onChoose }));
    find(this.element, ".cells").replaceChildren(...this.cells);
    this.element.style.setProperty("--steps", String(steps.length));
    this.element.addEventListener("focus", onFocus);
    this.chosen = find(this.element, ".chosen");
  }

  /** @type {(step: Step, of: {id: string, onChoose: (digit: number) => void}) => HTMLButtonElement} */
  makeCell({ digit, text, label, mark }, { id, onChoose }) {
    const cell = /** @type {HTMLButtonElement} */ (copyOf("cell-template"));
    cell.id = `cell-${id}-${digit}`;
    cell.dataset.digit = String(digit);
    cell.title = text;
    cell.setAttribute("aria-label", mark === undefined ? `${digit}: ${text}` : text);
    if (mark !== undefined) cell.textContent = mark;
    else if (label) cell.append(Object.assign(document.createElement("b"), { textContent: String(digit) }), ` ${label}`);
    else cell.textContent = String(digit);
    cell.addEventListener("click", () => onChoose(digit));
    return cell;
  }

  /** @type {(digit: number | undefined, state: {isFocused: boolean, isWanted: boolean}) => void} */
  update(digit, { isFocused, isWanted }) {
    const at = this.steps.findIndex((step) => step.digit === digit);
    for (const [number, cell] of this.cells.entries()) cell.setAttribute("aria-checked", String(number === at));
    this.chosen.textContent = this.steps[at]?.text ?? "";
    this.element.classList.toggle("focused", isFocused);
    this.element.classList.toggle("wanted", isWanted && at < 0);
    this.element.classList.toggle("scored", at >= 0);
    if (at < 0) this.element.removeAttribute("aria-activedescendant");
    else this.element.setAttribute("aria-activedescendant", this.cells[at].id);
  }

  disable() {
    for (const cell of this.cells) cell.disabled = true;
  }

  focus() {
    this.element.focus({ preventScroll: false });
  }
}
