// What the page has to say without stopping anybody: one line at a time, the gravest first.

const KINDS = ["login", "refused", "storage", "paused", "lost", "elsewhere", "trouble", "motion", "break"];

export class Notices {
  constructor(element) {
    this.element = element;
    this.said = new Map();
  }

  /** `actions` are {label, does}; what can be dismissed says so by one. */
  say(kind, text, actions = []) {
    if (this.said.get(kind)?.text === text) return; // repeated: nothing flickers, nothing is read out
    this.said.set(kind, { text, actions });
    this.show();
  }

  clear(...kinds) {
    for (const kind of kinds) this.said.delete(kind);
    this.show();
  }

  show() {
    const first = this.said.get(KINDS.find((kind) => this.said.has(kind)));
    if (first === this.shown) return;
    this.shown = first;
    this.element.querySelector("p").textContent = first?.text ?? "";
    this.element.querySelector(".actions").replaceChildren(...(first?.actions ?? []).map(actionOf));
    this.element.hidden = !first;
  }
}

function actionOf({ label, does }) {
  const button = Object.assign(document.createElement("button"), { textContent: label });
  button.addEventListener("click", does);
  return button;
}
