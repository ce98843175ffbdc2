// What the tested modules need of a browser where there is none.

/** A browser's storage, in memory. */
class MemoryStorage {
  getItem(name) {
    return this[name] ?? null;
  }

  setItem(name, text) {
    this[name] = String(text);
  }

  removeItem(name) {
    delete this[name];
  }
}

/** Gives the process what a page has, and takes it away again where it is called anew. */
export function openPage() {
  globalThis.localStorage = new MemoryStorage();
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false, cookie: "" });
}

/** Answers every `fetch` from here on by `answer({ method, address, body })`: JSON, or undefined for 204. */
export function answerBy(answer) {
  globalThis.fetch = async (address, { method = "GET", body } = {}) => {
    const found = await answer({ method, address, body: body && JSON.parse(body) });
    if (found instanceof Response) return found;
    return found === undefined ? new Response(null, { status: 204 }) : Response.json(found);
  };
}
