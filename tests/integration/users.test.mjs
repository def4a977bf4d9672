// tetherctl users: who came in, who is kept out, and who may what.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { makeHandle, startPage } from "./lib/tunnel.mjs";
import { deadline } from "./lib/time.mjs";

const ask = (connection, id, login, method = "GET") =>
	connection.request({ method, path: "/api/whoami",
		headers: identity(id, login) });

async function users(tetherd, ...args) {
	const { code, stdout, stderr } =
		await tetherctl(tetherd, "users", ...args);
	assert.equal(code, 0, stderr);
	return stdout.trim();
}

const list = async (tetherd) =>
	JSON.parse((await tetherctl(tetherd, "-j", "users")).stdout);

const stateDatabase = (tetherd) => `${tetherd.home}/state/tether.db`;

describe("tetherctl users", { concurrency: 3 }, () => {
	scenario("the list", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);

		assert.deepEqual(await list(tetherd), []);
		await ask(connection, 1, "mona");
		await ask(connection, 583231, "octocat");
		await makeHandle({ connection });
		await makeHandle({ connection });
		await sql(stateDatabase(tetherd), "UPDATE identities SET " +
			"last_seen = 1 WHERE github_id = 1");
		const rows = await list(tetherd);
		assert.deepEqual(rows.map((row) => row.login), ["octocat", "mona"],
			"the last one first");
		const [octocat] = rows;
		assert.equal(octocat.github_id, 583231);
		assert.equal(octocat.user, "octocat");
		assert.equal(octocat.by, "rule");
		assert.equal(octocat.state, "enabled");
		assert.equal(octocat.handles, 2);
		assert.ok(Math.abs(octocat.last_seen - Date.now() / 1000) < 60);
		assert.match(await users(tetherd), /^ *583231 +octocat +octocat /m);
	});

	scenario("more people than a list has rows", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		await ask(connection, 1, "mona");
		await sql(stateDatabase(tetherd), "WITH RECURSIVE n(i) AS (SELECT " +
			"100 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) INSERT INTO " +
			"identities (github_id, login, created_at, last_seen) " +
			"SELECT i, 'user' || i, 1, i FROM n");
		assert.equal((await list(tetherd)).length, 1000);
		const { stdout, stderr } = await tetherctl(tetherd, "users");
		assert.match(stdout + stderr, /2 more/);
	});

	scenario("kept out at once, and let in again", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		const handles = async () => (await sql(stateDatabase(tetherd),
			"SELECT count(*) AS n FROM handles"))[0].n;
		assert.equal((await ask(connection, 1, "mona")).status, 200);
		assert.equal((await ask(connection, 2, "lisa")).status, 200);
		await makeHandle({ connection }, 1, "mona");
		await makeHandle({ connection }, 2, "lisa");
		assert.equal(await handles(), 2);

		assert.equal(await users(tetherd, "disable", "Mona"),
			"mona (GitHub id 1): disabled");
		const answer = await ask(connection, 1, "mona");
		assert.equal(answer.status, 403);
		assert.equal(answer.json.error,
			"your access to this instance is disabled");
		assert.match(answer.json.advice, /tetherctl users enable/);
		assert.equal(await handles(), 1);
		assert.equal((await ask(connection, 1, "renamed")).status, 403);
		assert.equal((await ask(connection, 2, "lisa")).status, 200);
		assert.equal((await list(tetherd))
			.find((row) => row.github_id === 1).state, "disabled");

		// It outlives authd; proxyd has not heard of this login yet.
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		await tetherd.line("lost child: authd");
		assert.equal((await ask(connection, 1, "moaning")).status, 403);

		await users(tetherd, "enable", "1");
		assert.equal((await ask(connection, 1, "mona")).status, 200);
		for (const line of ["operator: mona (GitHub id 1): disabled",
			"operator: mona (GitHub id 1): enabled",
			"audit: operator allowed id=1 login=mona disable",
			"audit: operator allowed id=1 login=mona enable",
			"audit: sign-in refused id=1 login=mona why=" +
				'"your access to this instance is disabled"'])
			await tetherd.line(line);
	});

	scenario("tunnels of somebody kept out end", async (stage) => {
		const { connection, page, tetherd } = await startPage(stage);
		const tunnel = page.open("/ws");
		await tunnel.opened;
		const other = page.open("/ws", { handle:
			await makeHandle({ connection }, 2, "lisa") });
		await other.opened;

		await users(tetherd, "disable", "octocat");
		const { code } = await deadline(tunnel.closed, 5000, "still open");
		assert.equal(code, 1008);
		const again = await page.open("/ws").closed;
		assert.notEqual(again.t, "open");
		await other.send("still here");
	});

	scenario("roles of the operator's", async (stage) => {
		const conf = await startConf(stage,
			"policy {\n\tusers octocat\n\tread-only users mona\n}\n");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args });
		const may = async (id, login) =>
			(await ask(connection, id, login, "POST")).status !== 403;
		const row = async (id) => (await list(tetherd))
			.find(({ github_id: github }) => github === id);

		assert.ok(await may(583231, "octocat"));
		assert.equal((await ask(connection, 1, "mona")).status, 200);
		assert.ok(!await may(1, "mona"));

		await users(tetherd, "role", "mona", "full");
		assert.ok(await may(1, "mona"));
		await users(tetherd, "role", "583231", "read-only");
		assert.ok(!await may(583231, "octocat"));
		const { role, by } = await row(583231);
		assert.deepEqual([role, by], ["read-only", "operator"]);

		// Nobody gets in by a role whom the rules do not let in.
		assert.equal((await ask(connection, 1, "mona")).status, 200);
		await conf.change("policy { users octocat }\n", tetherd);
		assert.equal((await ask(connection, 1, "mona")).status, 403);

		await users(tetherd, "role", "octocat", "default");
		assert.ok(await may(583231, "octocat"));
		assert.equal((await row(583231)).by, "rule");
		await tetherd.line("audit: operator allowed id=583231 " +
			"login=octocat role=read-only");
	});

	scenario("who is not there, or not the only one", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		await ask(connection, 1, "mona");
		await ask(connection, 2, "Mona");
		const refuse = async (whom, why) => {
			for (const words of [["disable", whom], ["enable", whom],
				["role", whom, "full"]]) {
				const { code, stderr } =
					await tetherctl(tetherd, "users", ...words);
				assert.notEqual(code, 0);
				assert.match(stderr, why);
			}
		};
		await eachRow([
			["lisa", /no such user: lisa/],
			["3", /no such user: 3/],
			["99999999999999999999", /no such user: 9/],
			["mona", /2 users have the login mona: name one by its GitHub id/],
		], ([whom, why]) => refuse(whom, why));
		await users(tetherd, "disable", "2");
		assert.equal((await ask(connection, 1, "mona")).status, 200);
		assert.equal((await ask(connection, 2, "Mona")).status, 403);
	});

	scenario("without a database", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		await ask(connection, 1, "mona");
		const [{ user_version }] =
			await sql(stateDatabase(tetherd), "PRAGMA user_version");
		await sql(stateDatabase(tetherd), "PRAGMA user_version = 99");
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		await tetherd.line("version 99, but this program knows");
		for (const words of [[], ["disable", "mona"], ["enable", "1"],
			["role", "mona", "full"]]) {
			const { code, stderr } =
				await tetherctl(tetherd, "users", ...words);
			assert.notEqual(code, 0);
			assert.match(stderr,
				/the identity database cannot be used: see the log/);
		}
		await sql(stateDatabase(tetherd),
			`PRAGMA user_version = ${user_version}`);
		await users(tetherd, "disable", "mona");
	});
});
