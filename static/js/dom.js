// Elements of the page, each of the kind that its user counts on.

/**
 * @template {Element} T
 * @param {Element | null | undefined} element
 * @param {new () => T} kind
 * @param {string} name
 */
function ofKind(element, kind, name) {
  if (element instanceof kind) return element;
  throw new TypeError(`The page has no ${kind.name} ${name}.`);
}

/** @type {(id: string) => HTMLElement} */
export const byId = (id) => ofKind(document.getElementById(id), HTMLElement, `#${id}`);

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 */
export const byIdAs = (id, kind) => ofKind(document.getElementById(id), kind, `#${id}`);

/** @type {(root: ParentNode, selector: string) => HTMLElement} */
export const find = (root, selector) => ofKind(root.querySelector(selector), HTMLElement, selector);

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 */
export const findAs = (root, selector, kind) => ofKind(root.querySelector(selector), kind, selector);

/** @type {(root: ParentNode, selector: string) => HTMLElement[]} */
export const findAll = (root, selector) => [...root.querySelectorAll(selector)].map((one) => ofKind(one, HTMLElement, selector));

/** What a template holds, anew. @type {(id: string) => HTMLElement} */
export function copyOf(id) {
  const { firstElementChild } = byIdAs(id, HTMLTemplateElement).content;
  return ofKind(/** @type {Element} */ (firstElementChild?.cloneNode(true)), HTMLElement, `in #${id}`);
}

/** @type {(id: string) => any} */
export const jsonOf = (id) => JSON.parse(byId(id).textContent ?? "");

/** The element that an event is about. @type {(event: Event) => Element} */
export const targetOf = ({ target }) => ofKind(/** @type {Element} */ (target), Element, "target");

/** What an event of htmx tells. @type {(event: Event) => any} */
export const detailOf = (event) => /** @type {CustomEvent} */ (event).detail;
