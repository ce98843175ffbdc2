// What this browser keeps for one reader: drafts and the outbox.
//
// Names carry the reader, since several people share a workstation.

let reader = "nobody";

/** @param {string} name */
export function keepFor(name) {
  reader = name;
}

/** @type {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} */
let store = () => localStorage;
let names = () => Object.keys(localStorage);

/** From now on nothing outlives this page: it only looks like reading. */
export function keepNothing() {
  const kept = new Map();
  names = () => [...kept.keys()];
  const forgetful = {
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void kept.set(name, text),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  };
  store = () => forgetful;
}
export const readerHere = () => reader;

/** @type {(kind: string, id?: string) => string} */
const nameOf = (kind, id = "") => `reading-room:${reader}:${kind}:${id}`;

/**
 * The stored value, or undefined where there is none.
 * @param {string} kind
 * @param {string} [id]
 * @returns {any}
 */
export function recall(kind, id) {
  const text = store().getItem(nameOf(kind, id));
  return text === null ? undefined : JSON.parse(text);
}

/**
 * All values of a kind, in no order. Each has its own entry, so tabs cannot overwrite each other.
 * @param {string} kind
 * @returns {any[]}
 */
export function recallAll(kind) {
  return names()
    .filter((name) => name.startsWith(nameOf(kind)))
    .map((name) => JSON.parse(store().getItem(name) ?? "null"));
}

/**
 * Throws where the browser's storage is full or switched off; the caller says so.
 * @param {string} kind
 * @param {string | undefined} id
 * @param {unknown} value
 */
export function keep(kind, id, value) {
  store().setItem(nameOf(kind, id), JSON.stringify(value));
}

/**
 * @param {string} kind
 * @param {string} [id]
 */
export function forget(kind, id) {
  store().removeItem(nameOf(kind, id));
}

/** Whether a `storage` event of another tab is about this kind. @type {(event: StorageEvent, kind: string) => boolean} */
export const isAbout = (event, kind) => event.key?.startsWith(nameOf(kind)) ?? true;

/**
 * What a `storage` event of another tab did to a value of this kind: {id, value}, or undefined.
 * @param {StorageEvent} event
 * @param {string} kind
 * @returns {{id: string, value: any} | undefined}
 */
export function heard({ key, newValue }, kind) {
  const start = nameOf(kind);
  if (!key?.startsWith(start)) return undefined;
  return { id: key.slice(start.length), value: newValue === null ? undefined : JSON.parse(newValue) };
}
