// How surely an image is real or synthetic. The prompt is not shown: no real image has one.

import { Mode } from "./base.js";

export class RealOrSynthetic extends Mode {
  /** @override */
  verb = "judge";

  /** @override */
  get columns() {
    return Math.min(this.case.images.length, 2);
  }
}
