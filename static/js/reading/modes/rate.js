// One image, scored on every criterion.

import { Mode } from "./base.js";

export class Rate extends Mode {}
