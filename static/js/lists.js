// Lists by keyboard and with ticks: / searches, J and K go down and up, X ticks. Rows that can
// have the focus themselves are tall: one at a time is brought to the top.
//
// On a phone the filter is folded until somebody asks for it; a filter in use stays open.
//
// A list that fetches itself anew waits while something in it is ticked, typed or has the focus.

import { findAll } from "./dom.js";

const list = () => document.getElementById("list");
/** @param {string} selector */
const boxes = (selector) => [...(list()?.querySelectorAll(selector) ?? [])].filter((one) => one instanceof HTMLInputElement);
const picks = () => boxes('input[name="pick"]');
const areAll = () => boxes('input[name="all"]').some((box) => box.checked);

function update() {
  const ticked = picks().filter((box) => box.checked).length;
  for (const box of boxes("[data-pick-page]")) {
    box.checked = ticked > 0 && ticked === picks().length;
    box.indeterminate = ticked > 0 && !box.checked;
  }
  for (const button of findAll(document, "[data-needs-picks]")) {
    button.toggleAttribute("disabled", !ticked && !areAll());
  }
  for (const said of findAll(document, "[data-picked]")) {
    said.textContent = areAll() ? "All that fit are ticked." : ticked ? `${ticked} ticked.` : "";
  }
}

/** The box that was ticked last, from which Shift ticks on. @type {HTMLInputElement | undefined} */
let last;

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
  if (box.matches("[data-pick-page]")) {
    for (const one of picks()) one.checked = box.checked;
  } else if (box.name === "pick") {
    const all = picks();
    const [from, to] = [last ? all.indexOf(last) : -1, all.indexOf(box)];
    if (event.shiftKey && from >= 0) {
      for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    }
    last = box;
  }
  update();
});

// --- Keys ----------------------------------------------------------------------------------

const rows = () => [...(list()?.querySelectorAll("[data-row]") ?? [])];

/** @param {number} step */
function go(step) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
  const isTall = next?.hasAttribute("tabindex");
  const target = isTall ? next : (next?.querySelector("a[href]") ?? next?.querySelector("input"));
  if (!(target instanceof HTMLElement)) return;
  target.focus({ preventScroll: isTall });
  next.scrollIntoView({ block: isTall ? "start" : "nearest" });
}

function tick() {
  const box = rows()
    .find((row) => row.contains(document.activeElement))
    ?.querySelector('input[name="pick"]');
  if (box instanceof HTMLInputElement) box.click();
}

const COMMANDS = new Map([
  ["j", () => go(1)],
  ["k", () => go(-1)],
  ["x", tick],
  ["/", () => findAll(document, "[data-search]")[0]?.focus()],
]);

document.addEventListener("keydown", (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.matches("input:not([type=checkbox]), select, textarea");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const command = COMMANDS.get(event.key.toLowerCase());
  if (!command) return;
  event.preventDefault();
  command();
});

// --- What fetches itself anew --------------------------------------------------------------

document.addEventListener("htmx:beforeRequest", (event) => {
  const shown = list();
  if (event.target !== shown || !shown?.hasAttribute("data-live")) return;
  const isBusy = shown.contains(document.activeElement) || picks().some((box) => box.checked);
  if (isBusy || areAll()) event.preventDefault();
});
document.addEventListener("htmx:afterSettle", update);

const narrow = matchMedia("(max-width: 640px)");
function fold() {
  for (const part of findAll(document, ".filter-fold")) {
    part.toggleAttribute("open", !narrow.matches || part.hasAttribute("data-asked"));
  }
}
narrow.addEventListener("change", fold);
fold();
update();
