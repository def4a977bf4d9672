// The instance itself as a user of the upstream: whose account it gets, whose
// it never does, and what it does without one.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { createUserDatabase, lock, SCHEMAS, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { SECRET, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const RUNNING = "/api/providers/sessions/running";
const user = (id, name, active = 1) => "INSERT INTO users (id, username, " +
	`password_hash, is_active) VALUES (${id}, '${name}', 'x', ${active});`;

// An upstream where nothing runs, and that tells what token it was shown.
const handle = (req, res) => {
	res.setHeader("Content-Type", "application/json");
	res.end(JSON.stringify(req.url === RUNNING
		? { success: true, data: { sessions: [] } }
		: { authorization: req.headers.authorization ?? null }));
};

// The claims of a JWT that the upstream's secret made.
function claimsOf(authorization) {
	const [, head, payload, signature] =
		/^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization);
	assert.equal(createHmac("sha256", SECRET)
		.update(`${head}.${payload}`).digest("base64url"), signature);
	return JSON.parse(Buffer.from(payload, "base64url"));
}

// An instance whose upstream has had these users before it starts.
async function start(stage, users, options = {}) {
	const { schema = "new", before, ...others } = options;
	const database = join(await stage.directory(), "users.db");

	await createUserDatabase(database, schema);
	await sql(database, users);
	await before?.(database);
	const all = await startInstance(stage, { handle, database: false,
		...others, env: { DATABASE_PATH: database } });
	return { ...all, database,
		state: join(all.tetherd.home, "state/tether.db") };
}

// As whom the upstream is asked what runs.
async function watcher({ upstream }) {
	const req = await upstream.requests.next(({ url }) => url === RUNNING);
	const { userId, username } = claimsOf(req.headers.authorization);
	return { userId, username };
}

const names = async (database) =>
	(await sql(database, "SELECT username FROM users ORDER BY id"))
		.map(({ username }) => username);

// As whom a person comes in.
async function comeIn({ connection }, id, login) {
	const answer = await connection.request({ path: "/whoami",
		headers: identity(id, login) });
	assert.equal(answer.status, 200);
	return claimsOf(answer.json.authorization).username;
}

const CANNOT = "what runs at the web app cannot be asked: ";

// All that is known of people is forgotten, and what runs asked again.
async function reload({ tetherd }) {
	const from = tetherd.lines.length;

	tetherd.signal("SIGHUP");
	await tetherd.line("settings reloaded", { from });
	tetherd.signal("SIGUSR2");
}

describe("its account", { concurrency: 3 }, () => {
	for (const schema of Object.keys(SCHEMAS))
		scenario(`made in the ${schema} web app's database`, async (stage) => {
			const all = await start(stage, user(7, "admin"), { schema });

			assert.deepEqual(await watcher(all),
				{ userId: 8, username: "orchestrator" });
			const [row] = await sql(all.database,
				"SELECT * FROM users WHERE id = 8");
			assert.match(row.password_hash, /^\$2b\$12\$.{53}$/);
			assert.equal(row.is_active, 1);
			assert.notEqual(row.last_login, null);
			assert.equal(row.has_completed_onboarding ?? 1, 1);
			assert.equal(row.github_id ?? null, null);
			assert.deepEqual(await sql(all.state, "SELECT id, " +
				"upstream_user_id, upstream_user_name FROM service"),
			[{ id: 0, upstream_user_id: 8,
				upstream_user_name: "orchestrator" }]);
			await all.tetherd.line(
				"instance itself: created user orchestrator (id 8)");
			// To look is no sign-in, and needs no record.
			assert.ok(!all.tetherd.lines.some((line) =>
				line.includes("audit: sign-in")));
			// It is nobody whom the operator sees, nor whom a login gets.
			const { stdout } = await tetherctl(all.tetherd, "-j", "users");
			assert.deepEqual(JSON.parse(stdout), []);
			assert.equal(await comeIn(all, 583231, "orchestrator"),
				"orch_583231_orchestrator");
			assert.equal(await comeIn(all, 5, "Orchestrator"),
				"orch_5_Orchestrator");
		});

	scenario("one that was there", async (stage) => {
		const all = await start(stage, user(7, "orchestrator"));

		assert.deepEqual(await watcher(all),
			{ userId: 7, username: "orchestrator" });
		assert.deepEqual(await names(all.database), ["orchestrator"]);
	});

	scenario("one that was there, and none are adopted", async (stage) => {
		const conf = await startConf(stage, "policy {\n\tadopt no\n}\n");
		const all = await start(stage, user(7, "orchestrator"),
			{ args: conf.args });

		assert.deepEqual(await watcher(all),
			{ userId: 8, username: "orch_0_orchestrator" });
		await all.tetherd.line("orchestrator is somebody's");
	});

	scenario("not where the web app has no users yet", async (stage) => {
		const all = await start(stage, "");

		await all.tetherd.line(`${CANNOT}the web app has no users yet`);
		assert.deepEqual(await names(all.database), []);
		assert.equal(await comeIn(all, 1, "mona"), "mona");
	});

	scenario("switched off in the web app", async (stage) => {
		const all = await start(stage, user(7, "orchestrator", 0));

		await all.tetherd.line(
			`${CANNOT}the account orchestrator is not active`);
		assert.equal(await comeIn(all, 1, "mona"), "mona");
		assert.deepEqual(await names(all.database),
			["orchestrator", "mona"]);
	});

	scenario("not made where nothing needs it", async (stage) => {
		const conf = await startConf(stage,
			"upstream {\n\twatch runs no\n}\n");
		const all = await start(stage, user(7, "admin"),
			{ args: conf.args });

		assert.equal(await comeIn(all, 1, "mona"), "mona");
		assert.deepEqual(await names(all.database), ["admin", "mona"]);
	});
});

describe("a database fails", { concurrency: 3 }, () => {
	scenario("the upstream's is locked: no account is made", async (stage) => {
		let release;
		const all = await start(stage, user(7, "admin"),
			{ before: async (path) => {
				release = await lock(stage, path);
			} });

		await all.tetherd.line(`${CANNOT}user database is not available`);
		await release();
		all.tetherd.signal("SIGUSR2");
		assert.deepEqual(await watcher(all),
			{ userId: 8, username: "orchestrator" });
		await all.tetherd.line("the web app says again what runs");
		assert.deepEqual(await names(all.database),
			["admin", "orchestrator"]);
	});

	scenario("the upstream's is locked: one that is there does",
		async (stage) => {
			const all = await start(stage, user(7, "admin"));
			await watcher(all);
			const release = await lock(stage, all.database);

			await reload(all);
			assert.deepEqual(await watcher(all),
				{ userId: 8, username: "orchestrator" });
			await release();
		});

	scenario("our own is locked", async (stage) => {
		const all = await start(stage, user(7, "admin"));
		await watcher(all);
		const release = await lock(stage, all.state);

		await reload(all);
		await all.tetherd.line(`${CANNOT}user database is not available`);
		await release();
		all.tetherd.signal("SIGUSR2");
		await all.tetherd.line("the web app says again what runs");
		assert.deepEqual(await watcher(all),
			{ userId: 8, username: "orchestrator" });
		assert.deepEqual(await names(all.database),
			["admin", "orchestrator"]);
	});
});
