// The map that `?` opens: what each key and mouse button does now, and the editor of it.

/** @import { Bindings, Choice, Command } from "./bindings.js" */
/** @typedef {{keys: string[], text: string}} Fixed A meaning that nobody can change. */

import { find, findAs } from "../dom.js";
import { CHOICES, COMMANDS, capsOf, spell } from "./bindings.js";
import { keyOf } from "./keys.js";

const FIXED_KEYS = [
  { keys: ["0", "–", "9"], text: "Answer, and go on to the next question" },
  { keys: ["Tab"], text: "Next question (Shift: the one before)" },
];
const FIXED_MOUSE = [
  { keys: ["Space"], text: "Held: the left button pans" },
  { keys: ["One finger"], text: "Window" },
  { keys: ["Two fingers"], text: "Zoom and pan" },
];

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {(Node | string)[]} inside
 */
const make = (tag, properties = {}, ...inside) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
};
const drawKey = (/** @type {string} */ key) =>
  make("span", { className: "key" }, ...capsOf(key).map((cap) => make("kbd", { textContent: cap })));

export class KeyMap {
  isEditing = false;
  /** What a key is wanted for; without `key`, one more. @type {{name: string, key?: string} | undefined} */
  waiting;

  /**
   * @param {HTMLDialogElement} element The help dialog.
   * @param {{bindings: Bindings, known: string[]}} parts `known` names the commands that this page has.
   */
  constructor(element, { bindings, known }) {
    this.element = element;
    this.bindings = bindings;
    this.commands = COMMANDS.filter(({ name }) => known.includes(name));
    this.message = find(element, ".help-tools output");
    this.editButton = find(element, "#edit-keys");
    this.resetButton = find(element, "#reset-keys");
    this.editButton.addEventListener("click", () => this.edit(!this.isEditing));
    this.resetButton.addEventListener("click", () => this.reset());
    element.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("close", () => this.edit(false));
    this.refresh();
  }

  /** @param {boolean} isEditing */
  edit(isEditing) {
    this.isEditing = isEditing;
    this.waiting = undefined;
    this.tell("");
    this.refresh();
  }

  reset() {
    this.bindings.reset();
    this.waiting = undefined;
    this.tell("The defaults are back.");
    this.refresh();
  }

  /** @param {string} text */
  tell(text) {
    this.message.textContent = text;
  }

  refresh() {
    this.editButton.setAttribute("aria-pressed", String(this.isEditing));
    this.editButton.textContent = this.isEditing ? "Done" : "Change keys and mouse";
    this.resetButton.hidden = !this.isEditing;
    const groups = Map.groupBy(this.commands, ({ group }) => group);
    const table = (/** @type {Command["group"]} */ name) => this.makeGroup(name, (groups.get(name) ?? []).map((one) => this.makeRow(one)));
    const answers = table("Answers");
    findAs(answers, "tbody", HTMLTableSectionElement).prepend(...FIXED_KEYS.map(makeFixedRow));
    find(this.element, "#keys").replaceChildren(answers, table("Cases"), table("Window"));
    find(this.element, "#mouse").replaceChildren(table("View"), this.makeMouse(), this.makeChoices("Between cases"));
  }

  /** @type {(name: string, rows: HTMLElement[]) => HTMLTableElement} */
  makeGroup(name, rows) {
    const caption = make("caption", { textContent: name });
    return make("table", { className: "key-group" }, caption, make("tbody", {}, ...rows));
  }

  /** @param {Command} command */
  makeRow({ name, text }) {
    const keys = this.bindings.keysOf(name);
    const cell = make("td", {}, ...keys.map((key) => (this.isEditing ? this.makeButton(name, key) : drawKey(key))));
    if (this.isEditing) cell.append(this.makeButton(name), ...this.makeRemover(name));
    else if (!keys.length) cell.append(make("span", { className: "no-key", textContent: "no key" }));
    return make("tr", {}, make("th", { scope: "row", textContent: text }), cell);
  }

  /** A key to press another one in its place; without one, to add a key. @type {(name: string, key?: string) => HTMLButtonElement} */
  makeButton(name, key) {
    const text = this.commands.find((command) => command.name === name)?.text;
    const isWaiting = this.waiting?.name === name && this.waiting.key === key;
    const button = make("button", { className: "key", type: "button" });
    button.classList.toggle("waiting", isWaiting);
    button.classList.toggle("add", key === undefined);
    button.dataset.command = name;
    if (isWaiting) button.append("Press a key");
    else button.append(key === undefined ? "+" : drawKey(key));
    button.setAttribute("aria-label", key === undefined ? `Add a key for ${text}` : `${text}: change ${spell(key)}`);
    button.addEventListener("click", () => this.wait({ name, key }));
    return button;
  }

  /** @param {string} name */
  makeRemover(name) {
    const key = this.waiting?.name === name ? this.waiting.key : undefined;
    if (key === undefined) return [];
    const button = make("button", { className: "key remove", type: "button", textContent: "Remove" });
    button.addEventListener("click", () => {
      this.bindings.unbind(name, key);
      this.settle({ name }, "");
    });
    return [button];
  }

  makeMouse() {
    const table = this.makeChoices("Mouse and touch");
    findAs(table, "tbody", HTMLTableSectionElement).append(...FIXED_MOUSE.map(makeMeaningRow));
    return table;
  }

  /** @param {Choice["group"]} group */
  makeChoices(group) {
    const rows = CHOICES.filter((choice) => choice.group === group).map((choice) => {
      const now = this.bindings.choice(choice.slot);
      const cell = make("td", {}, this.isEditing ? this.makeChoice(choice, now) : choice.options[now]);
      return make("tr", {}, make("th", { scope: "row", textContent: choice.text }), cell);
    });
    return this.makeGroup(group, rows);
  }

  /** @type {(choice: Choice, now: string) => HTMLSelectElement} */
  makeChoice({ slot, text, options }, now) {
    const list = make("select", {}, ...Object.entries(options).map(([value, name]) => new Option(name, value, false, value === now)));
    list.setAttribute("aria-label", text);
    list.addEventListener("change", () => this.bindings.choose(slot, list.value));
    return list;
  }

  // Waiting for a key

  /** @param {{name: string, key?: string}} waiting */
  wait(waiting) {
    this.waiting = waiting;
    this.tell("Press the key that you want; Esc cancels.");
    this.refresh();
    find(this.element, ".key.waiting").focus();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { waiting } = this;
    if (!waiting) return;
    const key = keyOf(event, (typed) => this.bindings.commandOf(typed) !== undefined);
    if (key === "Tab" || key === "Shift+Tab") return this.settle(waiting, ""); // the focus goes on
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.settle(waiting, "");
    if (key !== undefined) this.take(waiting, key);
  }

  /** A key that is taken is refused, and the editor goes on waiting for another one. @type {(waiting: {name: string, key?: string}, key: string) => void} */
  take(waiting, key) {
    const refusal = this.bindings.bind(waiting.name, key, waiting.key);
    if (refusal) this.tell(refusal);
    else this.settle(waiting, `${spell(key)} it is.`);
  }

  /** @type {(waiting: {name: string}, text: string) => void} */
  settle({ name }, text) {
    this.waiting = undefined;
    this.tell(text);
    this.refresh();
    find(this.element, `.key[data-command="${name}"]`).focus();
  }
}

/** @param {Fixed} fixed */
function makeFixedRow({ keys, text }) {
  const caps = keys.flatMap((key) => (key === "–" ? "–" : make("kbd", { textContent: key })));
  return make("tr", {}, make("th", { scope: "row", textContent: text }), make("td", {}, ...caps));
}

/** @param {Fixed} fixed */
function makeMeaningRow({ keys, text }) {
  return make("tr", {}, make("th", { scope: "row", textContent: keys[0] }), make("td", { textContent: text }));
}
