// What is done with each app: STEPS; what it does by itself that would else
// be a fault: QUIET, REFUSED.

import * as newApp from "./steps-new.mjs";
import * as oldApp from "./steps-old.mjs";

export const APPS = { new: newApp, old: oldApp };
