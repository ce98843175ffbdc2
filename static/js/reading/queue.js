// Which case comes next. In a pool it is claimed while the one before is read, and kept by a
// heartbeat; otherwise the server has told it with the case.

/** @import { Cases } from "./cases.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Addresses, Body, LoadedCase, TestCase } from "./types.js" */

import { Refused, askJson, postJson } from "./server.js";

const AFTER_PAINT_MS = 50; // decoding the next pictures must not hold up the present ones
const HEARTBEAT_MS = 120_000;
const HOLDING_MAX = 16; // that the server takes

export class Queue {
  /** The case on screen. @type {LoadedCase | undefined} */
  case;
  /** Slots in the order in which this page read them. @type {string[]} */
  readHere = [];
  /** Unread slots of a pool that this page has, in their order. @type {Set<string>} */
  held = new Set();
  /** @type {Promise<string | null> | undefined} */
  claiming;
  isClaimingAhead = false;

  /**
   * @param {object} parts
   * @param {Cases} parts.cases
   * @param {Outbox} parts.outbox
   * @param {Addresses} parts.addresses
   * @param {() => number} [parts.ahead] How many cases are kept ready after the one on screen.
   * @param {() => void} parts.onLost The case on screen was away for so long that somebody else has it too.
   */
  constructor({ cases, outbox, addresses, onLost, ahead = () => 1 }) {
    this.cases = cases;
    this.ahead = ahead;
    this.outbox = outbox;
    this.addresses = addresses;
    this.onLost = onLost;
    /**
     * By slot the reading that the outbox has, or had since the page was opened: one that was
     * kept from before may be sent while its case, fetched without it, is still loading.
     * @type {Map<string, Body>}
     */
    this.sent = new Map(outbox.unsent.map(({ slot, body }) => [slot, body]));
    this.beats = setInterval(() => this.beat(), HEARTBEAT_MS);
    document.addEventListener("visibilitychange", () => this.beat());
  }

  /** The case is on screen; the one after it is fetched and decoded meanwhile. @param {LoadedCase} found */
  enter(found) {
    this.case = found;
    if (found.is_pool && !found.reading && !this.sent.has(found.slot)) this.held.add(found.slot);
    setTimeout(() => this.prepare().catch(() => {}), AFTER_PAINT_MS); // told when it is wanted
  }

  async prepare() {
    const { case: here } = this;
    this.cases.kept = Math.max(this.cases.kept, this.ahead() + 2); // with the one here and the one before
    const next = this.known ?? (here?.is_pool && here.is_open ? await this.claim() : null);
    if (!here || !next) return;
    await this.cases.get(next);
    if (here.is_pool) await this.claimAhead();
    else await this.followFrom(next);
  }

  /** Cases of one's own, as each tells the one after it. @param {string} first */
  async followFrom(first) {
    const seen = new Set([this.here.slot, first]);
    let { next } = await this.cases.get(first);
    while (next && seen.size <= this.ahead() && !seen.has(next) && !this.sent.has(next)) {
      seen.add(next);
      ({ next } = await this.cases.get(next));
    }
  }

  /** Cases of a pool, as long as there are plenty for all. */
  async claimAhead() {
    const { slot } = this.here;
    while (this.here.slot === slot && this.held.size <= this.ahead()) {
      if ((await this.claim({ isAhead: true })) === null) return;
    }
  }

  /** A reading went into the outbox, of this tab or of another one. @type {(slot: string, body: Body) => void} */
  leave(slot, body) {
    if (!this.sent.has(slot)) this.readHere.push(slot);
    this.held.delete(slot);
    this.sent.set(slot, body);
    this.cases.drop(slot);
  }

  /** It was not taken, and is to be read again. @param {string} slot */
  takeBack(slot) {
    this.sent.delete(slot);
  }

  /** A case of a pool was claimed before the one that is read before it was sent. @param {LoadedCase} found */
  previousOf({ slot, is_pool: isPool, previous }) {
    if (!isPool) return previous;
    const at = this.readHere.indexOf(slot);
    return (at < 0 ? this.readHere.at(-1) : this.readHere[at - 1]) ?? previous;
  }

  /** As far as this page knows; the case came before others were sent, so `next` may be read. */
  get known() {
    if (!this.case) return undefined;
    const { slot, next } = this.case;
    const inHand = [...this.held].find((other) => other !== slot);
    return inHand ?? (next && !this.sent.has(next) ? next : undefined);
  }

  /** Null: nothing is left to read. @returns {Promise<string | null>} */
  async next() {
    return this.known ?? (this.here.is_pool ? this.claim() : this.ask());
  }

  /** Follows the cases from here on until one is unread; the outbox may know more than the server. */
  async ask() {
    let { slot, next } = this.here;
    const seen = new Set([slot]);
    if (next) ({ next } = await askJson(this.addresses.slot(slot)));
    while (next && this.sent.has(next) && !seen.has(next)) {
      seen.add(next);
      ({ next } = await askJson(this.addresses.slot(next)));
    }
    return next && !seen.has(next) ? next : null;
  }

  get here() {
    return /** @type {LoadedCase} */ (this.case);
  }

  /** One at a time. @type {(about?: {isAhead?: boolean}) => Promise<string | null>} */
  claim({ isAhead = false } = {}) {
    if (this.claiming && this.isClaimingAhead && !isAhead) return this.claimAfter(this.claiming);
    if (!this.claiming) this.isClaimingAhead = isAhead;
    this.claiming ??= this.claimOnce({ isAhead }).finally(() => (this.claiming = undefined));
    return this.claiming;
  }

  /** What is refused for later may still come next. @param {Promise<string | null>} claiming */
  async claimAfter(claiming) {
    await claiming.catch(() => null); // told where it was wanted
    return this.known ?? this.claim();
  }

  /** @type {(about: {isAhead: boolean}) => Promise<string | null>} */
  async claimOnce({ isAhead }) {
    const { slot } = this.here;
    const unsent = this.outbox.unsent.map((item) => item.slot);
    const holding = [...new Set([...this.held, slot, ...unsent])].slice(0, HOLDING_MAX);
    /** @type {TestCase | null} */
    const found = await postJson(this.addresses.next(slot), { holding, ...(isAhead && { is_ahead: true }) });
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

  /** @param {string} slot */
  async renew(slot) {
    try {
      await postJson(this.addresses.heartbeat(slot), {});
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409)) throw error;
      this.held.delete(slot);
      if (slot === this.case?.slot) this.onLost();
    }
  }
}
