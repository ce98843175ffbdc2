// The list that `F` opens over a tile: type to find a flag, Enter for minor, Shift+Enter for
// major, and with Ctrl mark where it is, in a box or, with Shift too, a polygon.

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class FlagPicker {
  /**
   * `onToggle(flag, grade)` sets a flag or takes it off, `onMark(flag, shape)` draws where it is;
   * `onClose()` gives the focus back.
   */
  constructor(element, { onToggle, onMark, onClose }) {
    Object.assign(this, { element, onToggle, onMark, onClose });
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
    this.given = given; // () => the flags of the image as they are now
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
    for (const button of row.querySelectorAll("[data-shape]")) {
      const { shape } = button.dataset;
      button.setAttribute("aria-label", `${name}: mark where, in a ${shape}`);
      button.addEventListener("click", () => this.mark(slug, shape));
    }
    for (const button of row.querySelectorAll("[data-grade]")) {
      const { grade } = button.dataset;
      button.setAttribute("aria-pressed", this.given()[slug]?.grade === grade);
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
    else if (key === "Enter") this.choose(event);
    else if (key === "Escape" || key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose({ shiftKey, ctrlKey, metaKey }) {
    const flag = this.found[this.active];
    if (!flag) return;
    if (ctrlKey || metaKey) return this.mark(flag.slug, shiftKey ? "polygon" : "box");
    this.onToggle(flag.slug, shiftKey ? "major" : "minor");
    this.close();
  }

  mark(slug, shape) {
    this.close();
    this.onMark(slug, shape);
  }
}
