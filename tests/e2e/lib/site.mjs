// An app as a browser finds it: behind a hub and tetherd, or by itself.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { startConf } from "../../integration/lib/conf-file.mjs";
import { sql } from "../../integration/lib/database.mjs";
import { SECRET, startHub, startTetherd } from "../../integration/lib/programs.mjs";
import { startApp } from "./apps.mjs";
import { Browser } from "./browser.mjs";
import { Guard } from "./guard.mjs";
import { furnish } from "./home.mjs";
import { APPS } from "./steps.mjs";

const USER = { id: 583231, login: "octocat" };

// What a page says of binary data before its service worker undoes base64.
const WITHOUT_BINARY = [
	/^warning: Failed to decode downloaded font: /,
	/^warning: OTS parsing error: /,
	/^warning: Error while trying to use the following icon from the Manifest/,
];

// What an app says where no inline script is allowed.
const WITHOUT_INLINE = [
	/^error: Executing inline script violates the following Content Security/,
];

const part = (object) =>
	Buffer.from(JSON.stringify(object)).toString("base64url");

function tokenOf(user) {
	const iat = Math.floor(Date.now() / 1000);
	const text = `${part({ alg: "HS256", typ: "JWT" })}.` +
		part({ userId: user.id, username: user.username, iat,
			exp: iat + 86400 });
	return `${text}.` +
		createHmac("sha256", SECRET).update(text).digest("base64url");
}

// A person with an account, signed in in every page to come.
async function signIn(app, browser, origin) {
	await sql(app.database, "INSERT INTO users (username, password_hash) " +
		`VALUES ('${USER.login}', '-')`);
	await sql(app.database, "UPDATE users SET has_completed_onboarding = 1")
		.catch(() => {}); // the old app has no such column
	const [user] = await sql(app.database, "SELECT * FROM users");
	await browser.context.addInitScript(([site, token]) => {
		if (location.origin === site &&
		    localStorage.getItem("auth-token") === null)
			localStorage.setItem("auth-token", token);
	}, [origin, tokenOf(user)]);
}

/*
 * One app, as the upstream of a tetherd of that hub.  All of the app's sockets
 * are those of pages: none asks it what runs.
 */
async function startInstance(stage, appName, hub, client, { env, args }) {
	const app = await startFurnished(stage, appName);
	const quiet = await startConf(stage, "upstream { watch runs no }\n");
	const tetherd = await startTetherd(stage, {
		database: false,
		args: args ?? quiet.args,
		env: {
			ORCHESTRATOR_URL: hub.connectUrl,
			ORCHESTRATOR_CLIENT_ID: client,
			PORT: String(app.port),
			DATABASE_PATH: app.database,
			...env,
		},
	});
	await tetherd.registered();
	return { app, base: `/clients/${client}/proxy` };
}

const startFurnished = (stage, appName) =>
	startApp(stage, appName, { secret: SECRET, furnish });

// What the apps are the cause of, together.
const gather = (appNames, what) =>
	appNames.flatMap((appName) => APPS[appName][what]);

/*
 * The apps with those names, each as an instance of one hub, and a browser
 * that can see them.  A site for each:
 *	url	of the app's root, without a slash at the end
 *	app, guard, browser, page
 *	steps	what can be done there
 *	exact	whether status codes and binary bodies pass as they are
 *	direct	whether nothing stands in front of the app
 * options:
 *	name	of the case
 *	hubArgs	of tether-hub
 *	env	of tetherd, added
 *	args	of tetherd, in place of the usual ones
 *	quiet, refused	of browser and guard, added
 *	policy	of the orchestrator, for scripts of pages
 */
export async function startSites(stage, appNames, options) {
	const { name, hubArgs = [], policy, quiet: more = [],
		refused = [] } = options;
	const exact = !hubArgs.includes("--duratii");
	const quiet = [...more, ...gather(appNames, "QUIET"),
		...exact ? [] : WITHOUT_BINARY,
		...policy ? WITHOUT_INLINE : []];
	const hub = await startHub(stage,
		["--user", `${USER.id}:${USER.login}`, ...hubArgs]);
	const instances = [];

	for (const [i, appName] of appNames.entries())
		instances.push(await startInstance(stage, appName, hub,
			`box${i || ""}`, options));
	const guard = await Guard.start(stage, hub.port, {
		bases: instances.map(({ base }) => base),
		refused: [...refused, ...gather(appNames, "REFUSED")],
		policy,
	});
	const browser = await Browser.start(stage, name, guard.origin,
		quiet);
	const sites = [];
	for (const [i, { app, base }] of instances.entries()) {
		const page = browser.context.pages()[i] ??
			await browser.context.newPage();
		sites.push({ url: guard.origin + base, app, guard, browser, page,
			steps: APPS[appNames[i]].STEPS, exact, direct: false });
	}
	return sites;
}

// The same with nothing in front of the one app.
export async function startDirectly(stage, appName, { name }) {
	const { STEPS, QUIET, REFUSED } = APPS[appName];
	const app = await startFurnished(stage, appName);
	const guard = await Guard.start(stage, app.port,
		{ bases: [""], refused: REFUSED });
	const browser = await Browser.start(stage, name,
		guard.origin, QUIET);

	await signIn(app, browser, guard.origin);
	const [page] = browser.context.pages();
	return { url: guard.origin, app, guard, browser, page, steps: STEPS,
		exact: true, direct: true };
}

// A service worker serves nothing, unless it is to undo base64.
function checkServed(urls, exact) {
	const wrong = exact ? urls : urls.filter((url) =>
		!/\.(?:png|svg|ttf|woff2?)$/.test(url));

	assert.deepEqual(wrong, [], "answered by a service worker");
	assert.ok(exact || urls.length > 0, "base64 was not undone");
}

// Do the steps there, and then look at all that was written down.
export async function visit(site, steps = site.steps) {
	await visitAll([site], steps.map(([name, step]) =>
		[name, () => step(site, site.page)]));
}

// The same with several sites of one browser: the steps get them all.
export async function visitAll(sites, steps) {
	const [{ browser, guard, direct, exact }] = sites;
	const pages = sites.map(({ page }) => page);

	try {
		for (const [name, step] of steps)
			await browser.step(pages, name, () => step(sites));
		await guard.idle();
		guard.check();
		if (!direct)
			checkServed(browser.served, exact);
		browser.check();
	} finally {
		await browser.keep("console.txt", browser.console);
		await browser.keep("requests.txt", guard.trace);
	}
}
