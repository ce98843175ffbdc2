// What this browser keeps for one reader: drafts and the outbox.
//
// Names carry the reader, since several people share a workstation.

let reader = "nobody";

/** @param {string} name */
export function keepFor(name) {
  reader = name;
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
  const text = localStorage.getItem(nameOf(kind, id));
  return text === null ? undefined : JSON.parse(text);
}

/**
 * All values of a kind, in no order. Each has its own entry, so tabs cannot overwrite each other.
 * @param {string} kind
 * @returns {any[]}
 */
export function recallAll(kind) {
  return Object.keys(localStorage)
    .filter((name) => name.startsWith(nameOf(kind)))
    .map((name) => JSON.parse(localStorage.getItem(name) ?? "null"));
}

/**
 * Throws where the browser's storage is full or switched off; the caller says so.
 * @param {string} kind
 * @param {string | undefined} id
 * @param {unknown} value
 */
export function keep(kind, id, value) {
  localStorage.setItem(nameOf(kind, id), JSON.stringify(value));
}

/**
 * @param {string} kind
 * @param {string} [id]
 */
export function forget(kind, id) {
  localStorage.removeItem(nameOf(kind, id));
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
