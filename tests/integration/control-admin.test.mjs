// tetherctl users and tokens: who is known, and what the operator changes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { ask, json, NOT_ROOT } from "./lib/control.mjs";
import { sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { programPath, run, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const FAILED = 4;

const tetherDb = (tetherd) =>
	join(tetherd.home, "state", "tether.db");

// Why it did not do what it was asked for.
async function refused(tetherd, ...args) {
	const { code, stdout, stderr } = await tetherctl(tetherd, ...args);
	assert.equal(code, FAILED, stdout);
	assert.equal(stdout, "");
	return stderr.trimEnd();
}

const get = (connection, id, login) =>
	connection.request({ path: "/api/whoami", headers: identity(id, login) });

describe("tetherctl users", { concurrency: 4 }, () => {
	scenario("those who were here", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);

		assert.deepEqual(await json(tetherd, "users"), []);
		assert.equal(await ask(tetherd, "users"), "");
		const before = Math.floor(Date.now() / 1000);
		assert.equal((await get(connection, 583231, "octocat")).status, 200);
		assert.equal((await get(connection, 7, "mona")).status, 200);
		const rows = await json(tetherd, "u");
		assert.deepEqual(rows.map((row) => row.github_id).sort(), [583231, 7]);
		const { last_seen: seen, ...octocat } =
			rows.find((row) => row.login === "octocat");
		assert.deepEqual(octocat, { github_id: 583231, login: "octocat",
			user: "octocat", role: null, by: "rule", state: "enabled",
			handles: 0 });
		assert.ok(Number.isInteger(seen));
		assert.ok(seen >= before && seen <= Date.now() / 1000, seen);

		const [head, ...lines] = (await ask(tetherd, "users"))
			.trimEnd().split("\n");
		assert.match(head, /^GITHUB ID  LOGIN +USER +ROLE  BY    STATE    HANDLES +LAST SEEN$/);
		assert.equal(lines.length, 2);
		assert.match(lines.find((line) => line.includes("octocat")),
			/^ +583231  octocat  octocat     -  rule  enabled        0  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
	});

	scenario("disabled, enabled, and with another role", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		const status = async (members) => (await connection.request({
			path: "/api/whoami", headers: identity(583231, "octocat"),
			...members })).status;
		const only = async () => (await json(tetherd, "users"))[0];
		const change = async (line, ...words) => {
			const from = tetherd.lines.length;
			await ask(tetherd, "users", ...words);
			await tetherd.line(`control: users ${line} asked for by uid ` +
				process.getuid(), { from });
			await tetherd.line(/audit: operator allowed id=583231/,
				{ from });
		};

		assert.equal(await status(), 200);
		await change("disable OCTOCAT", "disable", "OCTOCAT");
		assert.equal(await status(), 403);
		assert.equal((await only()).state, "disabled");
		await change("enable 583231", "enable", "583231");
		assert.equal(await status(), 200);
		assert.equal((await only()).state, "enabled");

		await change("role octocat read-only", "role", "octocat", "r");
		assert.equal(await status(), 200);
		assert.equal(await status({ method: "PUT" }), 403);
		let { role, by } = await only();
		assert.deepEqual([role, by], ["read-only", "operator"]);
		await change("role octocat default", "role", "octocat", "def");
		assert.notEqual(await status({ method: "PUT" }), 403);
		({ role, by } = await only());
		assert.deepEqual([role, by], [null, "rule"]);
	});

	scenario("people who are not there", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);

		assert.equal((await get(connection, 583231, "octocat")).status, 200);
		for (const words of [["disable"], ["enable"], ["role", "full"]])
			for (const whom of ["octo", "583232", "0", "octocat'--", "-1"]) {
				const [word, ...rest] = words;
				assert.equal(
					await refused(tetherd, "users", word, whom, ...rest),
					`tetherctl: no such user: ${whom}`);
			}
		assert.match(await refused(tetherd, "users", "disable",
			"a\u001b[31m\nb"), /no such user: a\?\[31m\?b$/);
		assert.equal((await json(tetherd, "users"))[0].state, "enabled");
	});

	scenario("more than are shown", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);

		assert.equal((await get(connection, 583231, "octocat")).status, 200);
		await sql(tetherDb(tetherd), `WITH RECURSIVE n(i) AS (
			SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
			INSERT INTO identities (github_id, login, upstream_user_id,
				upstream_user_name, created_at, last_seen)
			SELECT i, 'u' || i, 1000 + i, 'u' || i, 1, 1 FROM n;
			SELECT 1`);
		const { code, stdout, stderr } =
			await tetherctl(tetherd, "-j", "users");
		assert.equal(code, 0, stderr);
		assert.equal(JSON.parse(stdout).length, 1000);
		assert.match(stderr, /\b501 more\n$/);
		// Others ask meanwhile.
		const all = await Promise.all(Array.from({ length: 6 },
			() => tetherctl(tetherd, "-j", "users")));
		for (const answer of all)
			assert.equal(answer.stdout, stdout);
	});

	scenario("the group may look on", { skip: NOT_ROOT }, async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		const program = join(tetherd.home, "tetherctl");
		const as = (gid, ...words) => run("setpriv", ["--reuid", "4001",
			"--regid", gid, "--clear-groups", program, "-s",
			tetherd.socket, ...words]);

		copyFileSync(programPath("tetherctl"), program);
		chmodSync(tetherd.home, 0o755);
		assert.equal((await get(connection, 583231, "octocat")).status, 200);
		const { code, stdout } = await as("0", "users");
		assert.equal(code, 0);
		assert.match(stdout, /octocat/);
		assert.equal((await as("0", "tokens")).code, 0);
		for (const words of [["users", "disable", "octocat"],
			["users", "role", "octocat", "full"],
			["tokens", "forget", "h"]]) {
			const { code: denied, stderr } = await as("0", ...words);
			assert.equal(denied, 3, stderr);
		}
		assert.equal((await as("4001", "users")).code, 3);
		assert.deepEqual(tetherd.all("asked for"), []);
		assert.equal((await json(tetherd, "users"))[0].state, "enabled");
	});
});

describe("tetherctl tokens", { concurrency: 4 }, () => {
	scenario("listed and forgotten", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);

		assert.equal((await get(connection, 583231, "octocat")).status, 200);
		assert.deepEqual(await json(tetherd, "tokens"), []);
		await sql(tetherDb(tetherd), `INSERT INTO tokens VALUES
			('a.example:443', 'box', 'secret-t', 1700000000),
			('b.example:443', 'box', 'secret-t', 1700000001),
			('b.example:80', 'box', 'secret-t', 1700000002);
			SELECT 1`);
		const rows = await json(tetherd, "tokens");
		assert.deepEqual(rows.find((row) => row.host === "a.example:443"),
			{ host: "a.example:443", client_id: "box",
				granted: 1700000000, used: false });
		const text = await ask(tetherd, "t");
		assert.match(text, /^HOST +CLIENT ID +GRANTED +USED\n/);
		assert.doesNotMatch(text, /secret/);

		await ask(tetherd, "tokens", "forget", "a.example");
		await tetherd.line("control: tokens forget a.example asked for");
		assert.match(await refused(tetherd, "t", "f", "b.example"),
			/b\.example/);
		await ask(tetherd, "tokens", "forget", "b.example:80");
		assert.equal(await refused(tetherd, "t", "f", "c"),
			"tetherctl: no token of c is stored");
		assert.deepEqual((await json(tetherd, "tokens"))
			.map((row) => row.host), ["b.example:443"]);
	});
});

describe("an authd that does not answer", { concurrency: 4 }, () => {
	const stopped = async (stage) => {
		const { tetherd } = await startInstance(stage);
		process.kill(tetherd.childPid("authd"), "SIGSTOP");
		return tetherd;
	};

	scenario("is waited for, and what is late is nobody's",
		async (stage) => {
			const tetherd = await stopped(stage);
			const start = Date.now();

			assert.equal(await refused(tetherd, "users"),
				"tetherctl: authd did not answer");
			assert.ok(Date.now() - start > 9500);
			assert.ok(Date.now() - start < 25000);
			process.kill(tetherd.childPid("authd"), "SIGCONT");
			assert.deepEqual(await json(tetherd, "users"), []);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("dies meanwhile", async (stage) => {
		const tetherd = await stopped(stage);
		const answer = refused(tetherd, "users", "disable", "octocat");

		await tetherd.line("control: users disable octocat asked for");
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		assert.equal(await answer, "tetherctl: authd did not answer");
		await tetherd.line("lost child: authd");
		await until(async () =>
			(await tetherctl(tetherd, "users")).code === 0,
		"authd did not come back");
	});

	scenario("and a tetherctl that hangs up", async (stage) => {
		const tetherd = await stopped(stage);
		const child = spawn(programPath("tetherctl"),
			["-s", tetherd.socket, "users", "disable", "octocat"],
			{ stdio: "ignore" });

		await tetherd.line("control: users disable octocat asked for");
		child.kill("SIGKILL");
		await once(child, "exit");
		process.kill(tetherd.childPid("authd"), "SIGCONT");
		assert.deepEqual(await json(tetherd, "users"), []);
		assert.deepEqual(tetherd.all("lost child"), []);
	});
});
