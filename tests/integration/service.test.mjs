// The instance itself as a user of the upstream: whose account it gets to act
// for people, whose it never does, and as whom it asks what runs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { describe } from "node:test";

import { Browser, jwtOf } from "./lib/chat.mjs";
import { startConf } from "./lib/conf-file.mjs";
import { createUserDatabase, lock, SCHEMAS, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { SECRET, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { Queue } from "./lib/time.mjs";
import { startSocketUpstream } from "./lib/tunnel.mjs";

const RUNNING = "/api/providers/sessions/running";
const OURS = { userId: 8, username: "orchestrator" };
const ADMIN = { userId: 7, username: "admin" };
const user = (id, name, active = 1) => "INSERT INTO users (id, username, " +
	`password_hash, is_active) VALUES (${id}, '${name}', 'x', ${active});`;

// An upstream where nothing runs, and that tells what token it was shown.
async function startUpstream(stage) {
	const questions = new Queue("questions what runs");
	const upstream = await startSocketUpstream(stage, {
		watched: true,
		handle: (req, res) => {
			const { authorization = null } = req.headers;

			if (req.url === RUNNING)
				questions.push(authorization);
			res.setHeader("Content-Type", "application/json");
			res.end(JSON.stringify(req.url === RUNNING
				? { success: true, data: { sessions: [] } }
				: { authorization }));
		},
	});
	return Object.assign(upstream, { questions });
}

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
	const all = await startInstance(stage, { upstream: startUpstream,
		database: false, ...others, env: { DATABASE_PATH: database } });
	return { ...all, database,
		state: join(all.tetherd.home, "state/tether.db") };
}

// The upstream is asked what runs, as that user.
async function asked({ upstream }, { userId, username }) {
	await upstream.questions.next((authorization) => {
		const claims = claimsOf(authorization);
		return claims.userId === userId && claims.username === username;
	});
}

// As whom somebody's chat is begun.
async function actor({ connection, upstream }) {
	const session = await new Browser(connection).open(upstream);
	const { userId, username } = jwtOf(upstream.upgrades.at(-1));

	session.act("close");
	await session.ended();
	return { userId, username };
}

// Why there is no chat.
async function refusal({ connection }) {
	const session = new Browser(connection).begin("chat.send", {});
	return (await session.ended()).message;
}

const names = async (database) =>
	(await sql(database, "SELECT username FROM users ORDER BY id"))
		.map(({ username }) => username);

// All that could be written for an account, in both databases.
const written = async ({ database, state }) => [
	await sql(database, "SELECT * FROM users"),
	await sql(database, "SELECT * FROM sqlite_sequence"),
	await sql(state, "SELECT * FROM service"),
	await sql(state, "SELECT * FROM identities"),
];

// As whom a person comes in.
async function comeIn({ connection }, id, login) {
	const answer = await connection.request({ path: "/whoami",
		headers: identity(id, login) });
	assert.equal(answer.status, 200);
	return claimsOf(answer.json.authorization).username;
}

const CANNOT = "what runs at the web app cannot be asked: ";

// All that is known of people is forgotten.
async function reload({ tetherd }) {
	const from = tetherd.lines.length;

	tetherd.signal("SIGHUP");
	await tetherd.line("settings reloaded", { from });
}

// And what runs is asked again, over another connection.
async function askAgain(all) {
	await reload(all);
	all.tetherd.signal("SIGUSR2");
}

describe("its account", { concurrency: 3 }, () => {
	for (const schema of Object.keys(SCHEMAS))
		scenario(`made in the ${schema} web app's database`, async (stage) => {
			const all = await start(stage, user(7, "admin"), { schema });

			await asked(all, ADMIN);
			assert.deepEqual(await actor(all), OURS);
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
			// It is nobody whom the operator sees, nor whom a login gets.
			const { stdout } = await tetherctl(all.tetherd, "-j", "users");
			assert.deepEqual(JSON.parse(stdout), []);
			assert.equal(await comeIn(all, 583231, "orchestrator"),
				"orch_583231_orchestrator");
			assert.equal(await comeIn(all, 5, "Orchestrator"),
				"orch_5_Orchestrator");
		});

	scenario("one that was there", async (stage) => {
		const all = await start(stage, user(8, "orchestrator"));

		assert.deepEqual(await actor(all), OURS);
		assert.deepEqual(await names(all.database), ["orchestrator"]);
	});

	scenario("one that was there, and none are adopted", async (stage) => {
		const conf = await startConf(stage, "policy {\n\tadopt no\n}\n");
		const all = await start(stage, user(7, "orchestrator"),
			{ args: conf.args });

		assert.deepEqual(await actor(all),
			{ userId: 8, username: "orch_0_orchestrator" });
		await all.tetherd.line("orchestrator is somebody's");
	});

	scenario("switched off in the web app", async (stage) => {
		const all = await start(stage, user(7, "orchestrator", 0));

		assert.match(await refusal(all),
			/^the account orchestrator is not active/);
		assert.equal(await comeIn(all, 1, "mona"), "mona");
		assert.deepEqual(await names(all.database),
			["orchestrator", "mona"]);
	});
});

describe("as whom it asks what runs", { concurrency: 3 }, () => {
	for (const schema of Object.keys(SCHEMAS))
		scenario(`nothing is written: ${schema} schema`, async (stage) => {
			const all = await start(stage,
				user(9, "mona") + user(3, "old", 0) + user(7, "admin"),
				{ schema, args: ["-d", "-v"] });
			const before = await written(all);

			for (let round = 0; round < 2; round++) {
				await asked(all, ADMIN);
				assert.deepEqual(await written(all), before);
				await askAgain(all);
			}
			await all.tetherd.line(
				"what runs is asked as user admin (id 7)");
			// To look is no sign-in, and needs no record.
			assert.deepEqual(all.tetherd.all("audit: sign-in"), []);
		});

	scenario("its own account, once it has one", async (stage) => {
		const all = await start(stage, user(7, "admin"));

		await asked(all, ADMIN);
		assert.deepEqual(await actor(all), OURS);
		for (const [change, expected] of [["SELECT 1", OURS],
			["UPDATE users SET is_active = 0 WHERE id = 8", ADMIN],
			["UPDATE users SET is_active = 1 WHERE id = 8", OURS],
			["DELETE FROM users WHERE id = 8", ADMIN]]) {
			await sql(all.database, change);
			all.upstream.questions.items.length = 0;
			await askAgain(all);
			await asked(all, expected);
		}
		assert.deepEqual(await names(all.database), ["admin"]);
	});

	scenario("nobody where the web app has no users yet", async (stage) => {
		const all = await start(stage, "");

		await all.tetherd.line(`${CANNOT}the web app has no users yet`);
		assert.deepEqual(await names(all.database), []);
		assert.equal(await comeIn(all, 1, "mona"), "mona");
		all.tetherd.signal("SIGUSR2");
		await asked(all, { userId: 1, username: "mona" });
	});

	scenario("nobody without watch runs, which a reload changes",
		async (stage) => {
			const watch = (word) => `upstream {\n\twatch runs ${word}\n}\n`;
			const conf = await startConf(stage, watch("no"));
			const all = await start(stage, user(7, "admin"),
				{ args: conf.args });
			const authd = all.tetherd.childPid("authd");

			assert.equal(await comeIn(all, 1, "mona"), "mona");
			assert.equal(all.upstream.questions.length, 0);
			await conf.change(watch("yes"), all.tetherd);
			await asked(all, ADMIN);
			assert.equal(all.tetherd.childPid("authd"), authd);
			assert.deepEqual(await names(all.database),
				["admin", "mona"]);
			assert.deepEqual(all.tetherd.all(CANNOT), []);
		});
});

describe("a database fails", { concurrency: 3 }, () => {
	scenario("the upstream's is locked: nobody is known", async (stage) => {
		let release;
		const all = await start(stage, user(7, "admin"),
			{ before: async (path) => {
				await sql(path, "PRAGMA journal_mode = DELETE");
				release = await lock(stage, path);
			} });

		await all.tetherd.line(`${CANNOT}user database is not available`);
		await release();
		all.tetherd.signal("SIGUSR2");
		await asked(all, ADMIN);
		await all.tetherd.line("the web app says again what runs");
		await all.tetherd.line("user database works again");
	});

	scenario("the upstream's cannot be written: no account is made",
		async (stage) => {
			let release;
			const all = await start(stage, user(7, "admin"),
				{ before: async (path) => {
					release = await lock(stage, path);
				} });

			await asked(all, ADMIN);
			assert.match(await refusal(all),
				/^user database is not available/);
			await release();
			await reload(all);
			assert.deepEqual(await actor(all), OURS);
			assert.deepEqual(await names(all.database),
				["admin", "orchestrator"]);
		});

	scenario("the upstream's cannot be written: one that is there does",
		async (stage) => {
			const all = await start(stage, user(7, "admin"));
			await actor(all);
			const release = await lock(stage, all.database);

			await reload(all);
			assert.deepEqual(await actor(all), OURS);
			await release();
		});

	scenario("our own is locked", async (stage) => {
		const all = await start(stage, user(7, "admin"));
		await asked(all, ADMIN);
		const release = await lock(stage, all.state);

		await askAgain(all);
		await all.tetherd.line(`${CANNOT}user database is not available`);
		await release();
		all.tetherd.signal("SIGUSR2");
		await all.tetherd.line("the web app says again what runs");
		await asked(all, ADMIN);
		assert.deepEqual(await names(all.database), ["admin"]);
	});
});
