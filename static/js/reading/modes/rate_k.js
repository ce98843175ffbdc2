// Two to six images of one prompt, each scored on every criterion.

import { Mode } from "./base.js";

export class RateSeveral extends Mode {
  /** @override */
  get columns() {
    return this.case.images.length > 4 ? 3 : 2;
  }
}
