// Other rules, secrets and databases, by a reload.

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { createUserDatabase, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { SECRET, startSampleApp } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const PUBLISHED = "claude-ui-dev-secret-change-in-production";
const KEPT = "the old settings stay in force";

const whoami = (connection, id = 583231, login = "octocat") =>
	connection.request({ path: "/api/whoami",
		headers: identity(id, login) });
const starts = (tetherd, name) => tetherd.all(`${name}: started`).length;

describe("other people", { concurrency: 2 }, () => {
	scenario("who may come in counts at once", async (stage) => {
		const conf = await startConf(stage, "");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args });
		const status = async (id, login) =>
			(await whoami(connection, id, login)).status;

		assert.equal(await status(1, "mona"), 200);
		await conf.change("policy { users lisa }\n", tetherd);
		assert.equal(await status(1, "mona"), 403);
		assert.equal(await status(2, "lisa"), 200);
		await conf.change("policy { users { lisa mona } }\n", tetherd);
		assert.equal(await status(1, "mona"), 200);
		assert.equal(starts(tetherd, "authd"), 1);
	});

	scenario("adopt no", async (stage) => {
		const conf = await startConf(stage, "policy { adopt no }\n");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args });
		const name = async (id, login) =>
			(await whoami(connection, id, login)).json.username;
		await sql(tetherd.database, "INSERT INTO users " +
			"(username, password_hash) VALUES ('mona', 'x'), ('lisa', 'x')");

		assert.equal(await name(1, "mona"), "orch_1_mona");
		assert.equal(await name(3, "hubot"), "hubot");
		await conf.change("", tetherd);
		assert.equal(await name(1, "mona"), "orch_1_mona", "once for all");
		assert.equal(await name(2, "lisa"), "lisa");
		await conf.change("policy { adopt no }\n", tetherd);
		assert.equal(await name(2, "lisa"), "lisa", "was bound before");
	});

	scenario("another database", async (stage) => {
		const conf = await startConf(stage, "");
		const folder = await stage.directory();
		const other = join(folder, "other.db");
		const database = (path) => "upstream {\n\twatch runs no\n" +
			`\tdatabase "${path}"\n}\n`;
		const first = join(folder, "first.db");
		await createUserDatabase(first);
		await writeFile(conf.path, database(first));
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args, env: { DATABASE_PATH: undefined } });
		assert.equal((await whoami(connection)).status, 200);

		// What is refused changes nothing, and makes no file.
		await conf.change(database(other), tetherd, KEPT);
		await tetherd.line("reload: authd refuses: user database " +
			`${other}: does not exist (yet)`);
		await conf.change(database(folder), tetherd, KEPT);
		await tetherd.line(`user database ${folder}: not a regular file`);
		assert.ok(!(await readdir(folder)).includes("other.db"));
		assert.equal((await whoami(connection)).status, 200);
		assert.equal(starts(tetherd, "authd"), 1);

		await createUserDatabase(other);
		await sql(other, "INSERT INTO users (username, password_hash) " +
			"VALUES ('somebody', 'x')");
		const asked = Array.from({ length: 8 }, () => whoami(connection));
		await conf.change(database(other), tetherd);
		for (const { status } of await Promise.all(asked))
			assert.equal(status, 200);
		assert.equal((await whoami(connection)).json.userId, 2);
		assert.equal(starts(tetherd, "authd"), 2);
		assert.equal(starts(tetherd, "proxyd"), 1);
		assert.equal(starts(tetherd, "connector"), 1);
	});

	scenario("the secret, from files and the published one",
		async (stage) => {
			const folder = await stage.directory();
			const file = join(folder, "secret");
			const upstream = (...lines) =>
				`upstream {\n\t${lines.join("\n\t")}\n}\n`;
			const inFile = upstream(`jwt secret file "${file}"`);
			const secret = (text) => writeFile(file, text, { mode: 0o600 });
			await secret(`${SECRET}\n`);
			const conf = await startConf(stage, inFile);
			const app = await startSampleApp(stage);
			const { connection, tetherd } = await startInstance(stage, {
				args: conf.args, upstream: () => app,
				env: { JWT_SECRET: undefined } });
			assert.equal((await whoami(connection)).status, 200);

			for (const [text, why] of [["", "empty"],
				["a\nb\n", "more than one line"],
				["a\0b", "contains a NUL"],
				["x".repeat(4097), "longer than 4096 bytes"]]) {
				await secret(text);
				const from = tetherd.lines.length;
				await conf.change(inFile, tetherd, KEPT);
				await tetherd.line(`jwt secret file: ${file}: ${why}`,
					{ from });
			}
			assert.equal((await whoami(connection)).status, 200);

			await secret("another");
			await conf.change(inFile, tetherd);
			assert.equal((await whoami(connection)).status, 401);
			await secret(PUBLISHED);
			await conf.change(inFile, tetherd);
			assert.equal((await whoami(connection)).status, 503);

			await conf.change(upstream("jwt secret default"), tetherd);
			await tetherd.line("the JWT secret that the web app publishes");
			assert.equal((await whoami(connection)).status, 401,
				"signed, for an app that has another secret");
		});
});
