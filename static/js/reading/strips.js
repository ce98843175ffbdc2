// A strip of cells that answers one question: by its digits, its cells, or the legend below.

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class Strip {
  /** `steps` are {digit, text, label?}: a label on the cell where the digit alone says too little. */
  constructor({ id, label, name, steps, onChoose, onFocus }) {
    this.steps = steps;
    this.element = copyOf("strip-template");
    this.element.setAttribute("aria-label", label);
    this.element.querySelector(".strip-name").textContent = name;
    this.cells = steps.map((step) => this.makeCell(step, { id, onChoose }));
    this.element.querySelector(".cells").replaceChildren(...this.cells);
    this.element.style.setProperty("--steps", steps.length);
    this.element.addEventListener("focus", onFocus);
    this.chosen = this.element.querySelector(".chosen");
  }

  makeCell({ digit, text, label }, { id, onChoose }) {
    const cell = copyOf("cell-template");
    cell.id = `cell-${id}-${digit}`;
    cell.dataset.digit = digit;
    cell.title = text;
    cell.setAttribute("aria-label", `${digit}: ${text}`);
    if (label) cell.append(Object.assign(document.createElement("b"), { textContent: digit }), ` ${label}`);
    else cell.textContent = digit;
    cell.addEventListener("click", () => onChoose(digit));
    return cell;
  }

  update(digit, { isFocused, isWanted }) {
    const at = this.steps.findIndex((step) => step.digit === digit);
    for (const [number, cell] of this.cells.entries()) cell.setAttribute("aria-checked", number === at);
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
