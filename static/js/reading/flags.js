// The list that `F` opens over a tile: type to find a flag, Enter for minor, Shift+Enter for major.

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class FlagPicker {
  /** `onToggle(flag, grade)` sets a flag or takes it off; `onClose()` gives the focus back. */
  constructor(element, { onToggle, onClose }) {
    this.element = element;
    this.onToggle = onToggle;
    this.onClose = onClose;
    this.filter = element.querySelector("input");
    this.list = element.querySelector("ul");
    this.title = element.querySelector("h2");
    this.filter.addEventListener("input", () => this.refresh(0));
    this.filter.addEventListener("keydown", (event) => this.press(event));
    this.element.querySelector(".close").addEventListener("click", () => this.close());
    document.addEventListener("pointerdown", (event) => {
      if (this.isOpen && !element.contains(event.target)) this.close();
    });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  open({ tile, flags, given }) {
    this.flags = flags;
    this.given = given;
    this.title.textContent = `Flags of ${tile.name.replace(/^The/, "the").replace(/^Image/, "image")}`;
    this.filter.value = "";
    tile.element.append(this.element);
    this.element.hidden = false;
    this.refresh(0);
    this.filter.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.element.hidden = true;
    this.onClose();
  }

  get found() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.flags.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  }

  refresh(active) {
    const { found } = this;
    this.active = Math.max(0, Math.min(active, found.length - 1));
    this.list.replaceChildren(...found.map((flag, at) => this.makeRow(flag, at)));
    this.element.querySelector(".none").hidden = found.length > 0;
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
    this.filter.setAttribute("aria-activedescendant", this.list.children[this.active]?.id ?? "");
  }

  makeRow({ slug, name }, at) {
    const row = copyOf("flag-template");
    row.id = `flag-${slug}`;
    row.querySelector(".flag-name").textContent = name;
    row.setAttribute("aria-selected", at === this.active);
    for (const button of row.querySelectorAll("button")) {
      const { grade } = button.dataset;
      button.setAttribute("aria-pressed", this.given[slug] === grade);
      button.setAttribute("aria-label", `${name}, ${grade}`);
      button.addEventListener("click", () => {
        this.onToggle(slug, grade);
        this.refresh(at);
        this.filter.focus();
      });
    }
    return row;
  }

  press(event) {
    const { key } = event;
    if (key === "ArrowDown") this.refresh(this.active + 1);
    else if (key === "ArrowUp") this.refresh(this.active - 1);
    else if (key === "Enter") this.choose(event.shiftKey ? "major" : "minor");
    else if (key === "Escape" || key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(grade) {
    const flag = this.found[this.active];
    if (!flag) return;
    this.onToggle(flag.slug, grade);
    this.close();
  }
}
