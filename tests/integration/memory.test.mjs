// The memory of authd: each secret once, where it belongs, and none that is
// not in force any more.

import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { createUserDatabase, sql } from "./lib/database.mjs";
import { startGithub } from "./lib/github.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { BUILD } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { Page } from "./lib/tunnel.mjs";

const ROOT_ONLY = {
	skip: process.getuid() !== 0 ? "only root may look" :
		BUILD.includes("address") &&
			"memory of a sanitizer's build says nothing",
};
const OCTOCAT = identity(583231, "octocat");

// Random letters of that length, as no two tests or runs have the same.
const secret = () => Array.from({ length: 40 }, () =>
	String.fromCharCode(97 + Math.floor(Math.random() * 26))).join("");

// How often each of the texts is in the writable memory of a process.
function count(pid, texts) {
	const memory = openSync(`/proc/${pid}/mem`, "r");
	const found = texts.map(() => 0);

	for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
		const [, from, to] = /^(\w+)-(\w+) rw/.exec(line) ?? [];
		if (from === undefined)
			continue;
		const start = Number.parseInt(from, 16);
		const bytes = Buffer.alloc(Number.parseInt(to, 16) - start);
		readSync(memory, bytes, 0, bytes.length, start);
		texts.forEach((text, i) => {
			// Without its beginning, which free() overwrites.
			const needle = Buffer.from(text.slice(-20));
			for (let at = 0; (at = bytes.indexOf(needle, at)) !== -1; at++)
				found[i]++;
		});
	}
	closeSync(memory);
	return found;
}

describe("secrets in memory", { concurrency: 2 }, () => {
	scenario("of the settings, before and after a reload", ROOT_ONLY,
		async (stage) => {
			const folder = await stage.directory();
			const names = ["token", "jwt", "github"];
			const file = (name) => join(folder, name);
			const write = (secrets) => Promise.all(names.map((name, i) =>
				writeFile(file(name), secrets[i], { mode: 0o600 })));
			const settings =
				`orchestrator { token file "${file("token")}" }\n` +
				`upstream { jwt secret file "${file("jwt")}" }\n` +
				`github { token file "${file("github")}" }\n`;
			const first = names.map(secret);
			const second = names.map(secret);
			await write(first);
			const conf = await startConf(stage, settings);
			let authorization;
			const { connection, orchestrator, tetherd } =
				await startInstance(stage, {
					args: conf.args,
					env: { JWT_SECRET: undefined, GITHUB_TOKEN: undefined,
						ORCHESTRATOR_TOKEN: undefined },
					handle: (req, res) => {
						({ authorization } = req.headers);
						res.end();
					},
				});
			const comeIn = (link) => link.request({ headers: OCTOCAT });
			await comeIn(connection);
			const signature = authorization.split(".")[2];
			const pid = tetherd.childPid("authd");
			// It may have answered, and be about to wipe what it said.
			await until(() => String(count(pid, [...first, signature])) ===
				"1,1,1,1", "not each once");

			await write(second);
			const from = tetherd.lines.length;
			await conf.change(settings, tetherd);
			await tetherd.registered(from);
			await comeIn(await orchestrator.registered());
			assert.equal(tetherd.childPid("authd"), pid);
			assert.deepEqual(count(pid, [...first, signature]), [0, 0, 0, 0]);
			assert.deepEqual(count(pid, second), [1, 1, 1]);
		});

	scenario("shown to GitHub", ROOT_ONLY, async (stage) => {
		const [mine, theirs, nobody] = [secret(), secret(), secret()];
		const github = await startGithub(stage, {
			people: {
				octocat: { id: 583231, token: theirs },
				robot: { id: 1, token: mine },
			},
			orgs: { acme: { members: {
				octocat: "active", robot: "active" } } },
		});
		const { connection, tetherd } = await startInstance(stage, {
			// Without WebSockets: no chat session stays open.
			handle: (req, res) => res.end("ok"),
			env: { ...github.env, GITHUB_TOKEN: mine,
				ORCHESTRATOR_GITHUB_ORG: "acme" } });
		const page = new Page(connection);
		const pid = tetherd.childPid("authd");
		const act = (token) => page.ask("claude-command",
			{ auth_token: token });

		assert.equal((await connection.request({ headers: OCTOCAT })).status,
			200);
		await act(theirs);
		await act(nobody);
		await act(theirs);
		assert.ok(github.requests.some(({ headers }) =>
			headers.authorization === `Bearer ${theirs}`));
		assert.ok(github.requests.some(({ headers }) =>
			headers.authorization === `Bearer ${nobody}`));
		assert.deepEqual(count(pid, [mine, theirs, nobody]), [1, 0, 0]);
		for (const name of ["proxyd", "connector"])
			assert.deepEqual(count(tetherd.childPid(name), [mine]), [0]);
	});

	scenario("of the web app's database", ROOT_ONLY, async (stage) => {
		const { connection, tetherd } = await startInstance(stage, {
			database: false, env: { JWT_SECRET: undefined } });
		const make = async (value) => {
			await createUserDatabase(tetherd.database, "new");
			await sql(tetherd.database, "INSERT INTO app_config VALUES " +
				`('jwt_secret', '${value}')`);
		};
		const [first, second] = [secret(), secret()];
		const pid = tetherd.childPid("authd");
		const comeIn = (id) => connection.request({
			headers: identity(id, "octocat") });

		await make(first);
		assert.notEqual((await comeIn(1)).status, 503);
		assert.deepEqual(count(pid, [first, second]), [1, 0]);
		for (const end of ["", "-wal", "-shm"])
			await rm(tetherd.database + end, { force: true });
		await make(second);
		assert.notEqual((await comeIn(2)).status, 503);
		assert.deepEqual(count(pid, [first, second]), [0, 1]);
	});
});
