// Which case comes next. In a pool it is claimed while the one before is read, and kept by a
// heartbeat; otherwise the server has told it with the case.

import { Refused, askJson, postJson } from "./server.js";

const AFTER_PAINT_MS = 50; // decoding the next pictures must not hold up the present ones
const HEARTBEAT_MS = 120_000;
const HOLDING_MAX = 16; // that the server takes

export class Queue {
  /** `onLost()`: the case on screen was away for so long that somebody else has it too. */
  constructor({ cases, outbox, addresses, onLost }) {
    Object.assign(this, { cases, outbox, addresses, onLost });
    // slot -> the reading that the outbox has, or had since the page was opened: one that was
    // kept from before may be sent while its case, fetched without it, is still loading.
    this.sent = new Map(outbox.unsent.map(({ slot, body }) => [slot, body]));
    this.readHere = []; // slots, in the order in which this page read them
    this.held = new Set(); // unread slots of a pool that this page has, in their order
    this.beats = setInterval(() => this.beat(), HEARTBEAT_MS);
    document.addEventListener("visibilitychange", () => this.beat());
  }

  /** The case is on screen; the one after it is fetched and decoded meanwhile. */
  enter(found) {
    this.case = found;
    if (found.is_pool && !found.reading && !this.sent.has(found.slot)) this.held.add(found.slot);
    setTimeout(() => this.prepare().catch(() => {}), AFTER_PAINT_MS); // told when it is wanted
  }

  async prepare() {
    const next = this.known ?? (this.case.is_pool && this.case.is_open ? await this.claim() : null);
    if (next) await this.cases.get(next);
  }

  /** A reading went into the outbox, of this tab or of another one. */
  leave(slot, body) {
    if (!this.sent.has(slot)) this.readHere.push(slot);
    this.held.delete(slot);
    this.sent.set(slot, body);
    this.cases.drop(slot);
  }

  /** It was not taken, and is to be read again. */
  takeBack(slot) {
    this.sent.delete(slot);
  }

  /** A case of a pool was claimed before the one that is read before it was sent. */
  previousOf({ slot, is_pool: isPool, previous }) {
    if (!isPool) return previous;
    const at = this.readHere.indexOf(slot);
    return (at < 0 ? this.readHere.at(-1) : this.readHere[at - 1]) ?? previous;
  }

  /** As far as this page knows; the case came before others were sent, so `next` may be read. */
  get known() {
    const { slot, next } = this.case;
    const inHand = [...this.held].find((other) => other !== slot);
    return inHand ?? (next && !this.sent.has(next) ? next : undefined);
  }

  /** Null: nothing is left to read. */
  async next() {
    return this.known ?? (this.case.is_pool ? this.claim() : this.ask());
  }

  /** Follows the cases from here on until one is unread; the outbox may know more than the server. */
  async ask() {
    let { slot, next } = this.case;
    const seen = new Set([slot]);
    if (next) ({ next } = await askJson(this.addresses.slot(slot)));
    while (next && this.sent.has(next) && !seen.has(next)) {
      seen.add(next);
      ({ next } = await askJson(this.addresses.slot(next)));
    }
    return next && !seen.has(next) ? next : null;
  }

  claim() {
    this.claiming ??= this.claimOnce().finally(() => (this.claiming = undefined));
    return this.claiming;
  }

  async claimOnce() {
    const { slot } = this.case;
    const unsent = this.outbox.unsent.map((item) => item.slot);
    const holding = [...new Set([...this.held, slot, ...unsent])].slice(0, HOLDING_MAX);
    const found = await postJson(this.addresses.next(slot), { holding });
    if (!found) return null;
    this.held.add(found.slot);
    this.cases.get(found.slot, found).catch(() => {}); // told when it is opened
    return found.slot;
  }

  /** A hidden page lets its leases run out: nobody reads there. */
  async beat() {
    if (document.hidden || !this.case?.is_pool) return;
    await Promise.allSettled([...this.held].map((slot) => this.renew(slot)));
  }

  async renew(slot) {
    try {
      await postJson(this.addresses.heartbeat(slot), {});
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409)) throw error;
      this.held.delete(slot);
      if (slot === this.case.slot) this.onLost();
    }
  }
}
