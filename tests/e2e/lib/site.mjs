// An app as a browser finds it: behind a hub and tetherd, or by itself.

import { createHmac } from "node:crypto";

import { sql } from "../../integration/lib/database.mjs";
import { SECRET, startAll } from "../../integration/lib/programs.mjs";
import { startApp } from "./apps.mjs";
import { Browser } from "./browser.mjs";
import { Guard } from "./guard.mjs";
import { furnish } from "./home.mjs";

const USER = { id: 583231, login: "octocat" };

// What a page that cannot have binary data has to say about it.
const WITHOUT_BINARY = [
	/^warning: Failed to decode downloaded font: /,
	/^warning: OTS parsing error: /,
	/^warning: Error while trying to use the following icon from the Manifest/,
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

const startFurnished = (stage, app) =>
	startApp(stage, app, { secret: SECRET, furnish });

/*
 * The app with that name and a browser that can see it:
 *	url	of the app's root, without a slash at the end
 *	app, guard, browser, page
 *	binary	whether binary bodies pass
 * options:
 *	name	of the case
 *	direct	nothing stands in front of the app
 *	hubArgs	of tether-hub
 *	env	of tetherd, added
 *	quiet	see Browser
 *	refused	see Guard
 */
export async function startSite(stage, appName, options) {
	const { name, direct = false, hubArgs = [], env, quiet, refused } =
		options;
	const app = await startFurnished(stage, appName);
	const binary = !hubArgs.includes("--duratii");
	let port = app.port;
	let base = "";

	if (!direct) {
		const { hub } = await startAll(stage, {
			upstream: app,
			hubArgs: ["--user", `${USER.id}:${USER.login}`, ...hubArgs],
			database: false,
			env: { DATABASE_PATH: app.database, ...env },
		});
		({ port, base } = hub);
	}
	const guard = await Guard.start(stage, port, [base], refused);
	const browser = await Browser.start(stage, name,
		binary ? quiet : [...quiet, ...WITHOUT_BINARY]);
	if (direct)
		await signIn(app, browser, guard.origin);
	const [page] = browser.context.pages();
	return { url: guard.origin + base, app, guard, browser, page, binary };
}

// Do the steps, and then look at all that was written down.
export async function visit(site, steps) {
	const { browser, guard, page } = site;

	try {
		for (const [name, step] of steps)
			await browser.step(page, name, () => step(site, page));
		await guard.idle();
		guard.check();
		browser.check();
	} finally {
		await browser.keep("console.txt", browser.console);
		await browser.keep("requests.txt", guard.trace);
	}
}
