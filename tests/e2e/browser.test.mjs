// Both real apps in a real browser, behind a hub and tetherd.

import { scenario } from "../integration/lib/scenario.mjs";
import { startSite, visit } from "./lib/site.mjs";
import * as newApp from "./lib/steps-new.mjs";
import * as oldApp from "./lib/steps-old.mjs";

const APPS = { new: newApp, old: oldApp };
const TIMEOUT = 240000;

/*
 * TETHERD_E2E_DIRECT=1 takes the same steps with nothing in front of the
 * apps: what fails then is no fault of ours.
 */
const MATRIX = process.env.TETHERD_E2E_DIRECT
	? [{ name: "direct", direct: true }]
	: [{ name: "hub" }, { name: "duratii", hubArgs: ["--duratii"] }];

for (const [appName, { STEPS, QUIET, REFUSED }] of Object.entries(APPS))
	for (const { name, ...options } of MATRIX)
		scenario(`the ${appName} app in a browser, ${name}`,
			{ timeout: TIMEOUT }, async (stage) => {
				const site = await startSite(stage, appName, {
					...options,
					name: `${appName}-${name}`,
					quiet: QUIET,
					refused: REFUSED,
				});
				await visit(site, STEPS);
			});
