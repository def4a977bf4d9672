// Where the log goes, what is in it, and how a reload changes that; and what
// a child says of a configuration that is of no use to it.

import assert from "node:assert/strict";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z tetherd\[(\d+)\]: /;
const FAILED = "reload failed: the old settings stay in force";
const DONE = "settings reloaded";

// Files of a directory of their own.
async function files(stage) {
	const directory = await stage.directory();
	const path = (name) => join(directory, name);
	return {
		path,
		write: (name, text) =>
			writeFile(path(name), text, { mode: 0o600 }),
		read: (name) => readFile(path(name), "utf8").catch(() => ""),
	};
}

// tetherd with this tetherd.conf.
async function start(stage, { path, write }, conf, args = [], env = {}) {
	const orchestrator = await Orchestrator.start(stage);
	await write("tetherd.conf", conf);
	return startTetherd(stage, {
		args: [...args, "-f", path("tetherd.conf")],
		env: { ORCHESTRATOR_URL: orchestrator.url, ...env },
	});
}

// Until the file has the text.
const has = ({ read }, name, text) =>
	until(async () => (await read(name)).includes(text),
		`${name} has no ${text}`);

describe("log file", { concurrency: 4 }, () => {
	scenario("it has all lines, each with its time", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f,
			`log { file "${f.path("log")}" }\n`);

		await has(f, "log", "registered with");
		const lines = (await f.read("log")).split("\n");
		assert.equal(lines.pop(), "");
		for (const line of lines)
			assert.equal(Number(LINE.exec(line)?.[1]), tetherd.pid, line);
		assert.equal((await stat(f.path("log"))).mode & 0o7777, 0o640);
		assert.deepEqual(tetherd.lines, []);
	});

	scenario("SIGUSR1 opens it anew", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f,
			`log { file "${f.path("log")}" }\n`);

		await has(f, "log", "registered with");
		await rename(f.path("log"), f.path("old"));
		tetherd.signal("SIGUSR1");
		await has(f, "log", "status: proxyd: running");
		assert.ok(!(await f.read("old")).includes("status: "));
		assert.equal((await stat(f.path("log"))).mode & 0o7777, 0o640);
	});

	scenario("a reload names another one", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f,
			`log { file "${f.path("one")}" }\n`);

		await has(f, "one", "registered with");
		await f.write("tetherd.conf", `log { file "${f.path("two")}" }\n`);
		tetherd.signal("SIGHUP");
		await has(f, "two", DONE);
		assert.ok(!(await f.read("one")).includes(DONE));

		await f.write("tetherd.conf",
			`log { file "${f.path("no/such")}" }\n`);
		tetherd.signal("SIGHUP");
		await has(f, "two", FAILED);
		assert.match(await f.read("two"),
			/no\/such: No such file or directory/);
	});

	scenario("one that cannot be opened ends the start", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f,
			`log { file "${f.path("no/such")}" }\n`);

		assert.equal((await tetherd.ended()).code, 1);
		await tetherd.line(/no\/such: No such file or directory/);
	});
});

describe("log level", { concurrency: 4 }, () => {
	scenario("a reload changes that of all", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f, "log { level brief }\n", ["-d"]);
		const again = async (level) => {
			const from = tetherd.lines.length;
			await f.write("tetherd.conf", `log { level ${level} }\n`);
			tetherd.signal("SIGHUP");
			await tetherd.line(DONE, { from });
			return tetherd.lines.length;
		};

		await tetherd.registered();
		assert.deepEqual(tetherd.all(/[<>] MSG_/), []);
		let from = await again("trace");
		tetherd.signal("SIGUSR1");
		await tetherd.line("tetherd: > MSG_LOG_STATUS", { from });
		for (const name of ["connector", "proxyd", "authd"])
			await tetherd.line(new RegExp(
				`${name}\\[\\d+\\]: < MSG_LOG_STATUS`), { from });
		from = await again("brief");
		tetherd.signal("SIGUSR1");
		for (const name of ["connector", "proxyd", "authd"])
			await tetherd.line(new RegExp(
				`${name}\\[\\d+\\]: (?![<>])`), { from });
		assert.deepEqual(tetherd.lines.slice(from)
			.filter((line) => line.includes("MSG_LOG_STATUS")), []);
	});
});

describe("what a child finds wrong", { concurrency: 4 }, () => {
	const conf = (f) =>
		`upstream { jwt secret file "${f.path("secret")}" }\n`;
	const env = { JWT_SECRET: undefined };

	scenario("at the start it ends tetherd", async (stage) => {
		const f = await files(stage);
		await f.write("secret", "\n");
		const tetherd = await start(stage, f, conf(f), ["-d"], env);

		assert.equal((await tetherd.ended()).code, 1);
		await tetherd.line("authd refuses its configuration: ");
		await tetherd.line("startup failed");
		assert.equal(tetherd.all("authd: started").length, 1);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("in a reload it ends that", async (stage) => {
		const f = await files(stage);
		await f.write("secret", "secret");
		const tetherd = await start(stage, f, conf(f), ["-d"], env);

		await tetherd.registered();
		const authd = tetherd.childPid("authd");
		await f.write("secret", "\n");
		tetherd.signal("SIGHUP");
		await tetherd.line(FAILED);
		await tetherd.line("reload: authd refuses: ");

		// What was accepted is what a new one gets.
		process.kill(authd, "SIGKILL");
		await until(() => tetherd.childPid("authd") !== authd,
			"no new authd");
		// It takes its time to start, and is silent when it has.
		const status = new RegExp(
			`authd\\[${tetherd.childPid("authd")}\\]: status`);
		await until(() => {
			tetherd.signal("SIGUSR1");
			return tetherd.all(status).length > 0;
		}, "the new authd has no status");
		assert.deepEqual(tetherd.all("refuses its configuration"), []);
	});
});

describe("sandbox none", { concurrency: 4 }, () => {
	for (const [conf, n] of [["sandbox none\n", 1], ["sandbox full\n", 0]])
		scenario(conf.trim(), async (stage) => {
			const f = await files(stage);
			const tetherd = await start(stage, f, conf, ["-d"]);
			await tetherd.registered();
			assert.equal(tetherd.all(
				"sandbox none: the processes are not confined").length,
			n);
			const status = await readFile(
				`/proc/${tetherd.childPid("proxyd")}/status`, "utf8");
			// What needs no kernel of today stays.
			assert.match(status, /NoNewPrivs:\s+1\n/);
			assert.match(status,
				new RegExp(`Seccomp:\\s+${n === 1 ? 0 : 2}\\n`));
		});

	scenario("a reload cannot change it", async (stage) => {
		const f = await files(stage);
		const tetherd = await start(stage, f, "", ["-d"]);
		await tetherd.registered();
		await f.write("tetherd.conf", "sandbox none\n");
		tetherd.signal("SIGHUP");
		await tetherd.line(FAILED);
		await tetherd.line("tetherd: sandbox: cannot be changed by a " +
			"reload; restart tetherd");
	});
});
