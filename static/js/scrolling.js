// What scrolls within the page can be scrolled with the keyboard too: it takes the focus.

import { detailOf, findAll } from "./dom.js";

const SCROLLERS = ".scroll-x, pre.log";

/** @param {Element} part */
function update(part) {
  const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
  part.toggleAttribute("tabindex", scrolls);
  if (!scrolls) return;
  part.setAttribute("tabindex", "0");
  part.setAttribute("role", "group");
  if (!part.hasAttribute("aria-label")) part.setAttribute("aria-label", "Scrolls");
}

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) update(target);
});

/** @param {ParentNode} root */
function observe(root) {
  for (const part of findAll(root, SCROLLERS)) observer.observe(part);
}

/** On a phone the sections of the site are one line; it begins with the section that one is in. */
function showSection() {
  const current = document.querySelector(".topbar nav [aria-current]");
  const line = current?.parentElement;
  if (current instanceof HTMLElement && line) line.scrollLeft = current.offsetLeft - line.offsetLeft - 48;
}

showSection();
observe(document);
document.addEventListener("htmx:load", (event) => observe(detailOf(event).elt.parentNode ?? document));
