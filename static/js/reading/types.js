// What goes between the parts of the reading page and the server, in types; there is nothing to run.

/** @typedef {[number, number]} Point In pixels of the image. */
/** @typedef {{x: number, y: number}} Place In pixels of a frame, or in parts of an image. */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {"box" | "polygon"} Shape */
/** @typedef {{shape: Shape, points: Point[]}} Region */
/** @typedef {"minor" | "major"} Grade */

/** @typedef {{slug: string, name: string, question: string, kind: "ordinal" | "confidence" | "comparison" | "report" | "preference", anchors: string[]}} Criterion */
/** @typedef {{slug: string, name: string}} FlagKind */
/** @typedef {{slug: string, label: string}} SkipReason */

/** @typedef {{place: number, criterion: string, value: number}} Score */
/** @typedef {"better" | "equal" | "both_bad"} Verdict */
/** @typedef {{verdict: Verdict, place?: number | null, strength?: number | null}} Choice Which image is better, and how much. */
/** @typedef {{text: string, reasons: string[], is_accepted: boolean}} GivenReport The report that would be signed, and why the draft was changed. */
/** @typedef {{criterion: string, points: number}} Preference From -10, all for the left report, to 10 for the right one. */
/** @typedef {{grade: Grade, regions: Region[]}} GivenFlag */
/** @typedef {Record<string, GivenFlag>} GivenFlags The flags of one image. */
/** @typedef {GivenFlag & {place: number, flag: string}} Flag */

/**
 * The answers to a case, as the server takes them.
 * @typedef {object} Content
 * @property {Score[]} scores
 * @property {(Choice & {criterion: string})[]} choices
 * @property {Flag[]} flags
 * @property {GivenReport | null} report
 * @property {Preference[]} preferences
 * @property {string} comment
 * @property {boolean} none_acceptable
 * @property {string} skip_reason
 */
/** @typedef {Partial<Content>} Given What a draft, an unsent reading or the server has for a case. */
/** @typedef {Content & {revision: number}} Reading */
/** @typedef {{place: number, image: string, name: string, grade: Grade, regions: Region[]}} OtherFlag */
/** @typedef {{name: string, number: number, is_simulated: boolean, answers: {criterion: string, said: string}[], flags: OtherFlag[], comment: string, skip: string}} OtherReading What somebody else said, in words. */
/** @typedef {Given & {active_ms?: number, upon?: number}} Draft `upon` is the revision that it changes. */
/** @typedef {{windows: {level: number, width: number, ms: number}[], max_zoom: number, inverted_ms: number}} Display */
/** @typedef {Content & {active_ms: number, display: Display, idempotency_key?: string}} Body */

/**
 * A case as the server describes it.
 * @typedef {object} TestCase
 * @property {string} slot
 * @property {string} study
 * @property {string} instructions
 * @property {boolean} is_open
 * @property {string} state
 * @property {boolean} is_locked The answer stays as it is: its phase is over, or the right one was told.
 * @property {boolean} is_training
 * @property {boolean} gives_feedback Whether the server may tell the right answer once one is stored.
 * @property {string} guideline Where it is; empty where there is none.
 * @property {"rate" | "rate_k" | "compare" | "real_or_synthetic" | "write_report" | "compare_reports"} mode
 * @property {(Size & {address: string})[]} images
 * @property {string} prompt
 * @property {{kind: string, label: string, address: string}[]} masks
 * @property {Criterion[]} criteria
 * @property {FlagKind[]} flags
 * @property {string[]} texts A draft, or the left report and the right one; most modes have none.
 * @property {{slug: string, label: string}[]} report_reasons Why a draft may be changed.
 * @property {SkipReason[]} skip_reasons
 * @property {boolean} allows_none_acceptable
 * @property {number} break_every_min
 * @property {boolean} is_bookmarked
 * @property {boolean} is_pool
 * @property {string} phase_note
 * @property {(Size & {address: string, spacing_mm: [number, number] | null, is_prior: boolean}) | null} reference A real image for comparison, or an earlier one of the same patient.
 * @property {OtherReading[]} others What a final reading is made beside.
 * @property {boolean} asks_reason The comment is the reason of a final reading.
 * @property {Reading | null} reading
 * @property {number} position
 * @property {number} total
 * @property {number} read
 * @property {string | null} next
 * @property {string | null} previous
 */
/** @typedef {{criterion: string, image: string, given: string, expected: string, is_right: boolean}} ComparedAnswer In words. */
/** @typedef {{right: number, asked: number, reason: string, answers: ComparedAnswer[]}} Feedback */
/** @typedef {Size & {grey: Uint8Array, trouble?: string, spacing_mm?: [number, number] | null}} Picture `spacing_mm` is across and down. */
/** @typedef {{kind: string, label: string, picture: Picture}} Mask */
/** @typedef {Omit<TestCase, "masks"> & {pictures: Picture[], masks: Mask[], beside: Picture | null}} LoadedCase */

/** @typedef {{place: number, criterion: number}} Question An image and a criterion, by their numbers. */
/** @typedef {{digit: number, text: string, label?: string, mark?: string}} Step A label where the digit alone says too little; a mark stands instead of it. */

/** @typedef {{level: number, width: number}} WindowLevel */
/** @typedef {WindowLevel & {zoom: number, inverted: boolean}} View */
/** @typedef {"window" | "pan" | "zoom"} MouseFunction */
/** @typedef {"left" | "middle" | "right" | "wheel"} MouseInput */
/** @typedef {Record<string, string[]>} StoredBindings */
/** @typedef {Record<string, (argument?: any) => unknown>} Commands */

/** @typedef {{slot: string, position: number, isFirst: boolean, body: Body}} Submitted */
/** @typedef {Submitted & {key: string, order: number}} Unsent */
/** @typedef {Unsent & {reason: string}} RefusedReading */
/** @typedef {null | "offline" | "login"} Trouble */
/** @typedef {{unsent: Unsent[], refused: RefusedReading[], trouble: Trouble}} OutboxState */

/**
 * Where the server has what.
 * @typedef {object} Addresses
 * @property {string} worklist
 * @property {(slot: string) => string} page
 * @property {(slot: string) => string} slot
 * @property {(slot: string) => string} readings
 * @property {(slot: string) => string} next
 * @property {(slot: string) => string} heartbeat
 * @property {(slot: string) => string} bookmark
 */

export {};
