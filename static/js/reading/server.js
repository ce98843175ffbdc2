// Talking to the server. Every failure is one of three: unreachable, logged out, refused.

/** @typedef {{code?: string, message: string, remedy?: string}} ServerError */

import { readerHere } from "./storage.js";

const KEEPALIVE_LIMIT = 60_000;

export class Unreachable extends Error {}
export class LoggedOut extends Error {}

/** The server understood and said no; sending the same again would not help. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {ServerError} error
   */
  constructor(status, error) {
    super([error.message, error.remedy].filter(Boolean).join(" "));
    this.status = status;
    this.code = error.code;
  }
}

/** With the reader whose page this is: another one may have logged in since, in another tab. */
const headers = () => ({ Accept: "application/json", "X-Reader": readerHere() });

const csrfToken = () => /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

/** @type {(error: Error) => never} */
const lost = (error) => {
  throw new Unreachable(error.message);
};

/** @type {(address: string, options: RequestInit) => Promise<Response>} */
async function reach(address, options) {
  // A page that wants a login redirects; following would give us its HTML as an answer.
  const asked = fetch(address, { credentials: "same-origin", redirect: "manual", ...options });
  const response = await asked.catch(lost);
  if (response.type === "opaqueredirect" || response.status === 401) throw new LoggedOut();
  return response;
}

/** @type {(address: string, options: RequestInit) => Promise<Response>} */
async function ask(address, options) {
  const response = await reach(address, options);
  if (response.status >= 500 || response.status === 429) throw new Unreachable();
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** @param {Response} response */
async function failureOf(response) {
  const body = await response.json().catch(() => ({}));
  /** @type {ServerError} */
  const error = body.error ?? { message: `The server answered ${response.status}.` };
  // A new login makes a new CSRF token, so both mean the same to a reader: log in again.
  const loggedOut = error.code === "not_authenticated" || /^CSRF Failed/.test(error.message);
  return loggedOut ? new LoggedOut() : new Refused(response.status, error);
}

/** @type {(address: string) => Promise<any>} */
export async function askJson(address) {
  const response = await ask(address, { headers: headers() });
  return response.json();
}

/**
 * Leaving the page does not stop it; browsers allow that to small requests only.
 * @type {(method: string, address: string, content?: unknown) => Promise<Response>}
 */
function send(method, address, content) {
  const body = content === undefined ? undefined : JSON.stringify(content);
  return ask(address, {
    method,
    keepalive: (body?.length ?? 0) < KEEPALIVE_LIMIT,
    headers: { ...headers(), "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body,
  });
}

/** @type {(address: string, body: unknown) => Promise<Response>} */
export const post = (address, body) => send("POST", address, body);
/** @type {(address: string, body?: unknown) => Promise<Response>} */
export const put = (address, body) => send("PUT", address, body);
export const remove = (/** @type {string} */ address) => send("DELETE", address);

/** Null where the server has nothing to tell. @type {(address: string, body: unknown) => Promise<any>} */
export async function postJson(address, body) {
  const response = await post(address, body);
  return response.status === 204 ? null : response.json();
}

/**
 * A picture's bytes. The server may be there and the picture not: then it says why in the shape
 * of all its errors, and asking again would not help.
 * @param {string} address
 */
export async function askPicture(address) {
  const response = await reach(address, { headers: headers() });
  if (response.ok) return response.blob().catch(lost);
  const failure = await failureOf(response);
  const isTold = response.headers.get("Content-Type")?.startsWith("application/json");
  if (failure instanceof Refused && response.status >= 500 && !isTold) throw new Unreachable();
  throw failure;
}
