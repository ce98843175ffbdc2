// What this browser keeps for one reader: drafts and the outbox.
//
// Names carry the reader, since several people share a workstation.

let reader = "nobody";

export function keepFor(name) {
  reader = name;
}

export const readerHere = () => reader;

const nameOf = (kind, id = "") => `reading-room:${reader}:${kind}:${id}`;

/** The stored value, or undefined where there is none. */
export function recall(kind, id) {
  const text = localStorage.getItem(nameOf(kind, id));
  return text === null ? undefined : JSON.parse(text);
}

/** All values of a kind, in no order. Each has its own entry, so tabs cannot overwrite each other. */
export function recallAll(kind) {
  return Object.keys(localStorage)
    .filter((name) => name.startsWith(nameOf(kind)))
    .map((name) => JSON.parse(localStorage.getItem(name)));
}

/** Throws where the browser's storage is full or switched off; the caller says so. */
export function keep(kind, id, value) {
  localStorage.setItem(nameOf(kind, id), JSON.stringify(value));
}

export function forget(kind, id) {
  localStorage.removeItem(nameOf(kind, id));
}

/** Whether a `storage` event of another tab is about this kind. */
export const isAbout = (event, kind) => event.key?.startsWith(nameOf(kind)) ?? true;

/** What a `storage` event of another tab did to a value of this kind: {id, value}, or undefined. */
export function heard({ key, newValue }, kind) {
  const start = nameOf(kind);
  if (!key?.startsWith(start)) return undefined;
  return { id: key.slice(start.length), value: newValue === null ? undefined : JSON.parse(newValue) };
}
