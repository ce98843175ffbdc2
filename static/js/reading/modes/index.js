// The mode of a case.

/** @import { LoadedCase } from "../types.js" */

import { Compare } from "./compare.js";
import { CompareReports } from "./compare_reports.js";
import { Rate } from "./rate.js";
import { RateSeveral } from "./rate_k.js";
import { RealOrSynthetic } from "./real_or_synthetic.js";
import { WriteReport } from "./write_report.js";

const MODES = {
  rate: Rate,
  rate_k: RateSeveral,
  compare: Compare,
  real_or_synthetic: RealOrSynthetic,
  write_report: WriteReport,
  compare_reports: CompareReports,
};

export const modeOf = (/** @type {LoadedCase} */ testCase) => new MODES[testCase.mode](testCase);
