// The mode of a case.

/** @import { LoadedCase } from "../types.js" */

import { Compare } from "./compare.js";
import { Rate } from "./rate.js";
import { RateSeveral } from "./rate_k.js";
import { RealOrSynthetic } from "./real_or_synthetic.js";

const MODES = {
  rate: Rate,
  rate_k: RateSeveral,
  compare: Compare,
  real_or_synthetic: RealOrSynthetic,
};

export const modeOf = (/** @type {LoadedCase} */ testCase) => new MODES[testCase.mode](testCase);
