// Readings on their way to the server, kept in the browser until it has them.
//
// Each carries its idempotency key, so sending it twice (a lost answer, a reload in between)
// stores it once. They go in order, one at a time, and from one tab at a time.

/** @import { OutboxState, RefusedReading, Submitted, Trouble, Unsent } from "./types.js" */

import { keepDraft, recallDraft } from "./answers.js";
import { LoggedOut, Refused, Unreachable, post } from "./server.js";
import { forget, heard, isAbout, keep, readerHere, recallAll } from "./storage.js";

const RETRY_FIRST_MS = 2_000;
const RETRY_LAST_MS = 30_000;

/** A version 4 UUID; `crypto.randomUUID` does not exist on plain-HTTP hosts. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * Seldom do two tabs send the same: browsers have locks on HTTPS only, and show one tab what
 * another has just removed a moment late. The key lets the server store it once even then.
 * @param {() => Promise<void>} does
 */
const alone = (does) =>
  navigator.locks ? navigator.locks.request(`reading-room:${readerHere()}:outbox`, does) : does();

export class Outbox {
  /** @type {Trouble} */
  trouble = null;
  /** What is under way. @type {Promise<void> | undefined} */
  sending;
  /** What the server said to readings of this page, by slot. @type {Map<string, any>} */
  answers = new Map();
  retryMs = RETRY_FIRST_MS;
  /** @type {number | undefined} */
  timer;

  /**
   * `onChange` is told after every step, `onRefused` when one is not taken, `onElsewhere` when
   * another tab has submitted one.
   * @param {object} parts
   * @param {(slot: string) => string} parts.addressOf
   * @param {(state: OutboxState) => void} parts.onChange
   * @param {(item: Unsent) => void} parts.onRefused
   * @param {(item: Unsent) => void} [parts.onElsewhere]
   */
  constructor({ addressOf, onChange, onRefused, onElsewhere = () => {} }) {
    this.addressOf = addressOf;
    this.onChange = onChange;
    this.onRefused = onRefused;
    this.onElsewhere = onElsewhere;
    window.addEventListener("online", () => this.flush());
    window.addEventListener("offline", () => {
      this.trouble = "offline";
      this.tell();
    });
    // Somebody logged in again in another tab, or the network came back while we slept.
    window.addEventListener("focus", () => this.flush());
    window.addEventListener("storage", (event) => this.listen(event));
  }

  /** @param {StorageEvent} event */
  listen(event) {
    const added = heard(event, "outbox")?.value;
    if (added) this.onElsewhere(added);
    const refused = heard(event, "refused")?.value;
    if (refused) this.onRefused(refused);
    if (isAbout(event, "outbox")) this.tell();
  }

  /** The oldest first. @returns {Unsent[]} */
  get unsent() {
    return recallAll("outbox").sort((one, other) => one.order - other.order);
  }

  /** @returns {RefusedReading[]} */
  get refused() {
    return recallAll("refused").sort((one, other) => one.order - other.order);
  }

  /** The newest reading of a slot that the server does not have yet. @param {string} slot */
  latestFor(slot) {
    return this.unsent.findLast((item) => item.slot === slot)?.body;
  }

  /** Stored before it returns: from here on the reading cannot get lost. Throws if it cannot be. @param {Submitted} reading */
  add({ slot, position, isFirst, body }) {
    const key = newKey();
    const last = this.unsent.at(-1)?.order ?? 0;
    const order = Math.max(Date.now(), last + 1); // even where the clock was set back
    const whole = { idempotency_key: key, ...body };
    keep("outbox", key, { key, order, slot, position, isFirst, body: whole });
    this.dismissRefused(slot);
    this.flush();
  }

  /** Resolves once all is sent, or cannot be sent now. @returns {Promise<void>} */
  flush() {
    this.sending ??= this.flushOnce().finally(() => {
      this.sending = undefined;
      this.tell();
    });
    return this.sending;
  }

  /** What the server said to the reading of a slot, where it could be sent from here. @param {string} slot */
  async answerTo(slot) {
    do await this.flush();
    while (!this.trouble && this.unsent.some((item) => item.slot === slot));
    return this.answers.get(slot);
  }

  async flushOnce() {
    clearTimeout(this.timer);
    try {
      await alone(() => this.sendAll());
      this.trouble = null;
      this.retryMs = RETRY_FIRST_MS;
    } catch (error) {
      this.hold(error);
    }
  }

  async sendAll() {
    for (let [item] = this.unsent; item; [item] = this.unsent) {
      this.tell();
      await this.send(item);
    }
  }

  /** @param {Unsent} item */
  async send(item) {
    try {
      const response = await post(this.addressOf(item.slot), item.body);
      this.answers.set(item.slot, await response.json());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.refuse(item, error.message);
    }
    forget("outbox", item.key);
  }

  /** A reading that was not taken is a draft again, unless the reader has gone on changing it. @type {(item: Unsent, reason: string) => void} */
  refuse(item, reason) {
    keep("refused", item.key, { ...item, reason });
    if (!recallDraft(item.slot)) keepDraft(item.slot, item.body);
    forget("outbox", item.key);
    this.onRefused(item);
  }

  /** The reader has seen it, or submitted the case anew; other cases are still to be told of. @param {string} slot */
  dismissRefused(slot) {
    for (const item of this.refused) if (item.slot === slot) forget("refused", item.key);
    this.tell();
  }

  /** Somebody has to log in again before anything goes on. */
  loggedOut() {
    this.trouble = "login";
    this.tell();
  }

  /** @param {unknown} error */
  hold(error) {
    if (error instanceof LoggedOut) this.trouble = "login";
    else if (error instanceof Unreachable) this.trouble = "offline";
    else throw error;
    this.timer = setTimeout(() => this.flush(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_LAST_MS);
  }

  tell() {
    this.onChange({ unsent: this.unsent, refused: this.refused, trouble: this.trouble });
  }
}
