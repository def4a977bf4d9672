// Both real apps in a real browser, behind a hub and tetherd.
//
//	TETHERD_E2E_DIRECT=1	the same steps with nothing in front of the
//				apps: what fails then is no fault of ours

import { scenario } from "../integration/lib/scenario.mjs";
import {
	startDirectly, startSites, visit, visitAll,
} from "./lib/site.mjs";
import { STEPS as STEPS_OF_BOTH } from "./lib/steps-both.mjs";
import { APPS } from "./lib/steps.mjs";

const OPTIONS = { timeout: 240000 };

const MATRIX = [
	{ name: "hub" },
	{ name: "duratii", hubArgs: ["--duratii"] },
];

function directly(appName) {
	scenario(`the ${appName} app in a browser`, OPTIONS, async (stage) => {
		await visit(await startDirectly(stage, appName,
			{ name: `${appName}-direct` }));
	});
}

function behind(appName, { name, ...options }) {
	const title = `the ${appName} app in a browser behind tether-hub ` +
		(options.hubArgs ?? []).join(" ");

	scenario(title, OPTIONS, async (stage) => {
		const [site] = await startSites(stage, [appName],
			{ name: `${appName}-${name}`, ...options });
		await visit(site);
	});
}

function together() {
	scenario("two instances in one browser", OPTIONS, async (stage) => {
		await visitAll(await startSites(stage, ["new", "old"],
			{ name: "both" }), STEPS_OF_BOTH);
	});
}

/*
 * An orchestrator that forbids inline scripts: the app's own, which is the one
 * that registers its service worker, is not run either.
 */
function withPolicy() {
	scenario("the old app where no inline script is allowed", OPTIONS,
		async (stage) => {
			const [site] = await startSites(stage, ["old"], {
				name: "old-policy",
				env: { TETHERD_PAGE_SCRIPT: "external" },
				policy: "script-src 'self'",
			});
			await visit(site, site.steps.filter(([name]) =>
				name !== "service-worker"));
		});
}

for (const appName of Object.keys(APPS))
	if (process.env.TETHERD_E2E_DIRECT)
		directly(appName);
	else
		for (const options of MATRIX)
			behind(appName, options);
if (!process.env.TETHERD_E2E_DIRECT) {
	together();
	withPolicy();
}
