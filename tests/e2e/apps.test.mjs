// Both real apps, behind a hub and tetherd, compared with what they answer
// when they are asked directly.

import assert from "node:assert/strict";

import { sql } from "../integration/lib/database.mjs";
import { request } from "../integration/lib/http.mjs";
import { SECRET, startAll } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { icons, largestAsset, onDisk, startApp } from "./lib/apps.mjs";

const USER = { id: 583231, login: "octocat" };

/*
 * new app without JWT_SECRET: authd finds the one the app made for itself.
 * The old app's default is public and refused, so that it always has one.
 */
const CASES = [
	{ name: "new", secret: undefined },
	{ name: "new", secret: SECRET },
	{ name: "old", secret: SECRET },
];

async function start(stage, { name, secret }, hubArgs) {
	const app = await startApp(stage, name, { secret });
	const { hub, tetherd } = await startAll(stage, {
		upstream: app,
		hubArgs: ["--user", `${USER.id}:${USER.login}`, ...hubArgs],
		database: false,
		env: { DATABASE_PATH: app.database, JWT_SECRET: secret },
	});
	return { app, hub, tetherd };
}

// The body as the browser would have it, were base64 always undone.
const bodyOf = (answer) =>
	answer.headers["x-orch-encoding"] === "base64"
		? Buffer.from(answer.text, "base64") : answer.body;

async function bothAnswers({ app, hub }, path) {
	const direct = await request(app.url + path);
	const proxied = await request(hub.url + hub.base + path);

	assert.equal(proxied.status, direct.status, path);
	assert.equal(proxied.headers["content-type"].toLowerCase(),
		direct.headers["content-type"].toLowerCase(), path);
	return { direct, proxied };
}

async function sameAsDirectly(all, path) {
	const { direct, proxied } = await bothAnswers(all, path);

	assert.ok(bodyOf(proxied).equals(direct.body), `${path} differs`);
	return direct;
}

// What rewriting put in, and all of that.
const INSERTED = [
	/<script type="application\/json" id="tetherd-page">.*?<\/script>/s,
	/(?<=<head>)<script>.*?<\/script>/s,
	/=window\.__ROUTER_BASENAME__/,
];

async function rewritten(all, path) {
	const { direct, proxied } = await bothAnswers(all, path);
	let text = bodyOf(proxied).toString();

	assert.ok(text.includes(`${all.hub.base}/`), `${path}: no prefix`);
	for (const expression of INSERTED)
		text = text.replace(expression, "");
	text = text.replaceAll(all.hub.base, "");
	if (path.endsWith(".json")) // which is written anew
		assert.deepEqual(JSON.parse(text), direct.json);
	else
		assert.ok(text === direct.text,
			`${path} differs in more than it should`);
	return direct;
}

async function pagesAndAssets(all) {
	const page = await rewritten(all, "/");
	assert.match(page.text, /<html/);
	await rewritten(all, "/manifest.json");
	await rewritten(all, await largestAsset(all.app));
	for (const path of await icons(all.app)) {
		const direct = await sameAsDirectly(all, path);
		assert.ok(direct.body.equals(await onDisk(all.app, path)), path);
	}
}

async function signedIn({ app, hub }) {
	const api = hub.url + hub.base + "/api";

	const status = await request(`${api}/auth/status`);
	assert.equal(status.status, 200);
	assert.equal(status.json.needsSetup, false, "a user was made first");

	const user = await request(`${api}/auth/user`);
	assert.equal(user.status, 200, user.text);
	assert.equal(user.json.user.username, USER.login);

	const rows = await sql(app.database, "SELECT * FROM users");
	assert.equal(rows.length, 1);
	const [row] = rows;
	assert.equal(row.id, user.json.user.id);
	assert.equal(row.username, USER.login);
	assert.equal(row.is_active, 1);
	assert.match(row.password_hash, /^\$2b\$12\$[./A-Za-z0-9]{53}$/);
	assert.notEqual(row.last_login, null);
	if ("has_completed_onboarding" in row)
		assert.equal(row.has_completed_onboarding, 1);
	return row;
}

async function posted({ app, hub }, user) {
	const name = "a \"key\" \\ of Zoë 🗝";
	const answer = await request(
		`${hub.url}${hub.base}/api/settings/api-keys`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ keyName: name }),
		});
	assert.equal(answer.status, 200, answer.text);
	const rows = await sql(app.database, "SELECT * FROM api_keys");
	assert.deepEqual(rows.map((r) => [r.user_id, r.key_name]),
		[[user.id, name]]);
}

for (const c of CASES)
	for (const hubArgs of [[], ["--duratii"]]) {
		const secret = c.secret ? "JWT_SECRET" : "its own secret";
		const name = `the ${c.name} app with ${secret} behind ` +
			`tether-hub ${hubArgs}`;
		scenario(name, { timeout: 180000 }, async (stage) => {
			const all = await start(stage, c, hubArgs);
			const user = await signedIn(all);
			await pagesAndAssets(all);
			await posted(all, user);
			const [{ integrity_check }] = await sql(all.app.database,
				"PRAGMA integrity_check");
			assert.equal(integrity_check, "ok");
		});
	}
