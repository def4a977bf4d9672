// The control socket and tetherctl: each command, and who may.

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, lstatSync, readFileSync,
	writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { ask, json, NOT_ROOT } from "./lib/control.mjs";
import { startInstance } from "./lib/instance.mjs";
import { programPath, run, SECRET, startTetherd, tetherctl, TOKEN }
	from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];

/*
 * A row of show processes against what the kernel says: in a build with
 * sanitizers there are neither filters nor Landlock.
 */
function checkConfinement(row) {
	const status = readFileSync(`/proc/${row.pid}/status`, "utf8");
	const value = (name) =>
		new RegExp(`^${name}:\\s+(\\S+)(?:\\s+(\\S+))?`, "m").exec(status);
	const filtered = value("Seccomp")[1] === "2";
	const capabilities = BigInt(`0x${value("CapEff")[1]}`);

	assert.equal(row.uid, Number(value("Uid")[2]), row.program);
	assert.equal(row.seccomp, filtered ? "filter" : "no", row.program);
	if (filtered)
		assert.ok(Number.isInteger(row.landlock) && row.landlock > 0);
	else
		assert.equal(row.landlock, "none");
	assert.equal(row.capabilities, capabilities === 0n ? "none"
		: `0x${capabilities.toString(16)}`, row.program);
	if (CHILDREN.includes(row.program))
		assert.equal(row.capabilities, "none", row.program);
}

describe("tetherctl", { concurrency: 4 }, () => {
	scenario("show status", async (stage) => {
		const { tetherd, connection, upstream } = await startInstance(stage);

		assert.equal((await connection.request()).status, 200);
		const text = await ask(tetherd, "show", "status");
		assert.match(text, /^version: +\d+\.\d+\.\d+$/m);
		assert.match(text, /^uptime: +\d\d:\d\d:\d\d$/m);
		assert.match(text, /^mode: +client$/m);
		assert.match(text, /^client id: +box$/m);
		assert.match(text, /^connection since: +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, \d\d:\d\d:\d\d ago$/m);
		assert.match(text, /^last disconnect: +-$/m);
		assert.doesNotMatch(text, /no answer/);

		const status = await json(tetherd, "sh", "st");
		assert.match(status.version, /^\d+\.\d+/);
		assert.ok(Number.isInteger(status.uptime));
		assert.ok(status.connection_since >= 0);
		assert.ok(status.connection_since < 60);
		assert.match(status.orchestrator, /^ws:\/\/127\.0\.0\.1/);
		assert.equal(status.client_id, "box");
		assert.match(status.upstream,
			new RegExp(`127\\.0\\.0\\.1.*${upstream.port}`));
		for (const name of ["requests_in_flight", "tunnels", "restarts"])
			assert.equal(status[name], 0, name);
		assert.equal(status.user_database,
			`${tetherd.database} (not opened yet)`);
	});

	scenario("show processes", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const rows = await json(tetherd, "show", "processes");

		assert.deepEqual(rows.map((row) => row.program),
			["tetherd", "launcher", ...CHILDREN]);
		assert.deepEqual(rows.map((row) => row.pid),
			[tetherd.pid, tetherd.launcherPid(),
				...CHILDREN.map(tetherd.childPid)]);
		for (const row of rows) {
			checkConfinement(row);
			assert.equal(row.state, "running");
			assert.equal(row.restarts, 0);
			assert.equal(row.log_level, "brief");
			assert.equal(row.no_new_privs, true);
			assert.ok(row.rss > 100000 && row.rss < 1e9, row.rss);
		}
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		await tetherd.line("lost child: proxyd");
		await until(async () => (await json(tetherd, "show", "processes"))[3]
			.state === "running", "proxyd did not come back");
		const [, , , proxyd] = await json(tetherd, "show", "processes");
		assert.equal(proxyd.restarts, 1);
		assert.equal(proxyd.pid, tetherd.childPid("proxyd"));
		const lines = (await ask(tetherd, "show", "processes"))
			.trimEnd().split("\n");
		assert.equal(lines.length, 6);
		assert.match(lines[0], /^PROGRAM +PID +UID +STATE +UPTIME/);
		assert.match(lines[4], /^proxyd +\d+ +\d+ +running +\d\d:\d\d:\d\d +1 /);
	});

	scenario("show limits", async (stage) => {
		const answers = [];
		const { tetherd, connection, upstream } = await startInstance(stage, {
			handle: (req, res) => answers.push(res),
		});
		const answer = connection.request();
		await upstream.requests.next();
		const rows = await json(tetherd, "show", "limits");
		const limit = (name) => rows.find((row) => row.limit === name);
		assert.deepEqual(limit("requests"), { limit: "requests",
			value: 256, in_use: 1, adjustable: true });
		assert.equal(limit("request time").value, 29);
		assert.equal(limit("body").value, 32 * 1024 * 1024);
		assert.deepEqual(limit("chat sessions"), {
			limit: "chat sessions", value: 64, in_use: 0,
			adjustable: true });
		assert.equal(limit("chat idle time").value, 1800);
		assert.deepEqual(limit("headers"), { limit: "headers",
			value: 256, in_use: null, adjustable: true });
		assert.equal(limit("header size").value, 128 * 1024);
		assert.equal(limit("json depth").value, 64);
		assert.deepEqual(limit("control clients"), {
			limit: "control clients", value: 8, in_use: 1,
			adjustable: false });
		assert.equal((await json(tetherd, "sh", "st")).requests_in_flight, 1);
		answers[0].end("done");
		await answer;
		assert.match(await ask(tetherd, "show", "limits"),
			/^body +32\.0 MiB +- +yes$/m);
	});

	scenario("show config", async (stage) => {
		const { tetherd, upstream } = await startInstance(stage, {
			env: { GITHUB_TOKEN: "ghp_secret-of-github" },
		});
		const text = await ask(tetherd, "show", "config");
		assert.match(text, /^orchestrator \{$/m);
		assert.match(text, new RegExp(`port ${upstream.port}\\b`));
		assert.doesNotMatch(text, new RegExp([TOKEN, SECRET, "ghp_secret"]
			.join("|")));
		assert.deepEqual(await json(tetherd, "show", "config"),
			{ config: text });
	});

	scenario("stats", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		const before = await json(tetherd, "stats");

		for (let i = 0; i < 3; i++)
			assert.equal((await connection.request()).status, 200);
		const after = await json(tetherd, "stats");
		assert.deepEqual(Object.keys(after), Object.keys(before));
		for (const [name, value] of Object.entries(after))
			assert.ok(value >= before[name], name);
		assert.equal(after.requests - before.requests, 3);
		assert.equal(after.responses_2xx - before.responses_2xx, 3);
		assert.equal(after.answers_sent - before.answers_sent, 3);
		assert.match(await ask(tetherd, "stats"), /^requests: +\d+$/m);
	});

	scenario("reload", async (stage) => {
		const file = join(await stage.directory(), "env");
		writeFileSync(file, "ORCHESTRATOR_CLIENT_ID=first\n", { mode: 0o600 });
		const { tetherd, orchestrator } = await startInstance(stage, {
			args: ["-d", "-e", file],
			env: { ORCHESTRATOR_CLIENT_ID: undefined },
		});
		writeFileSync(file, "ORCHESTRATOR_CLIENT_ID=second\n");
		assert.equal(await ask(tetherd, "reload"), "settings reloaded\n");
		await tetherd.line("tetherd: settings reloaded");
		await tetherd.line(
			`control: reload asked for by uid ${process.getuid()}`);
		assert.equal((await orchestrator.registered()).register.client_id,
			"second");

		writeFileSync(file, "ORCHESTRATOR_CLIENT_ID=third\n" +
			"ORCHESTRATOR_RECONNECT_INTERVAL=soon\nPORT=none\n");
		const { code, stdout, stderr } = await tetherctl(tetherd, "rel");
		assert.equal(code, 4);
		assert.equal(stdout, "");
		const lines = stderr.trimEnd().split("\n");
		assert.equal(lines.length, 3, stderr);
		assert.ok(lines[0].startsWith(
			`${file}:2: ORCHESTRATOR_RECONNECT_INTERVAL: `), stderr);
		assert.ok(lines[1].startsWith(`${file}:3: PORT: `), stderr);
		assert.equal(lines[2], "tetherctl: " +
			"reload failed: the old settings stay in force");
		assert.equal((await json(tetherd, "sh", "st")).client_id, "second");
	});

	scenario("two reloads at once", async (stage) => {
		const { tetherd } = await startInstance(stage);
		assert.deepEqual(await Promise.all([ask(tetherd, "reload"),
			ask(tetherd, "reload")]),
		["settings reloaded\n", "settings reloaded\n"]);
	});

	scenario("reconnect and disconnect", async (stage) => {
		const { tetherd, orchestrator, connection } =
			await startInstance(stage);
		assert.equal(await ask(tetherd, "rec"), "reconnecting\n");
		assert.equal((await connection.closed).code, 1000);
		const next = await orchestrator.registered();
		assert.equal(await ask(tetherd, "disconnect"), "disconnecting\n");
		assert.equal((await next.closed).code, 1000);
		assert.equal((await json(tetherd, "sh", "st")).last_disconnect,
			"disconnect was asked for");
		assert.equal(await ask(tetherd, "reconnect"), "reconnecting\n");
		const last = await orchestrator.registered();
		assert.equal((await last.request()).status, 200);
	});

	scenario("mode standalone has nothing to connect to", async (stage) => {
		const tetherd = await startTetherd(stage, {
			env: { ORCHESTRATOR_MODE: "standalone" },
		});
		await tetherd.line("startup complete");
		const { code, stderr } = await tetherctl(tetherd, "reconnect");
		assert.equal(code, 4);
		assert.match(stderr, /^tetherctl: mode standalone: /);
		assert.equal((await json(tetherd, "sh", "st")).mode, "standalone");
	});

	scenario("log", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const levels = async () => (await json(tetherd, "show", "processes"))
			.map((row) => row.log_level);
		assert.equal(await ask(tetherd, "log", "verbose", "proxyd"), "");
		// The launcher has no level of its own, but that of tetherd.
		assert.deepEqual(await levels(),
			["brief", "brief", "brief", "verbose", "brief"]);
		assert.equal(await ask(tetherd, "log", "trace"), "");
		assert.deepEqual(await levels(),
			["trace", "trace", "trace", "trace", "trace"]);
		assert.equal(await ask(tetherd, "log", "brief", "all"), "");
		assert.equal(await ask(tetherd, "log", "v", "tetherd"), "");
		assert.deepEqual(await levels(),
			["verbose", "verbose", "brief", "brief", "brief"]);
		for (const name of ["launcher", "dialer"]) {
			const { code, stderr } =
				await tetherctl(tetherd, "log", "trace", name);
			assert.notEqual(code, 0);
			assert.match(stderr, new RegExp(`^unknown word: ${name}$`, "m"));
		}
		await tetherd.line("control: log trace all asked for by uid");
		await tetherd.line("control: log verbose proxyd asked for by uid");
	});

	scenario("a child that hangs is shown as such", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const pid = tetherd.childPid("proxyd");
		process.kill(pid, "SIGSTOP");
		stage.atEnd(() => process.kill(pid, "SIGCONT"));
		const start = Date.now();
		const [status, stats, limits] = await Promise.all([
			json(tetherd, "show", "status"), json(tetherd, "stats"),
			json(tetherd, "show", "limits")]);
		assert.ok(Date.now() - start < 4000, "took too long");
		assert.equal(status.proxyd, "no answer");
		assert.equal(status.client_id, "box");
		assert.equal(stats.proxyd, "no answer");
		assert.ok("answers_sent" in stats);
		assert.equal(limits[0].in_use, null);
		process.kill(pid, "SIGCONT");
		assert.equal((await json(tetherd, "show", "status")).tunnels, 0);
	});

	scenario("usage", async (stage) => {
		const home = await stage.directory();
		await eachRow([
			[[], /^missing word\nvalid commands\/args:\n {2}show\n/],
			[["re"], /^ambiguous word: re\n/],
			[["show", "x"], /^unknown word: x\n.*\n {2}status\n/],
			[["reload", "x"], /^unknown word: x\n/],
			[["-x", "stats"], /^.*\nusage: tetherctl /],
			[["-s"], /^.*\nusage: tetherctl /],
		], async ([args, text]) => {
			const { code, stdout, stderr } = await tetherctl({ home }, ...args);
			assert.equal(code, 1);
			assert.equal(stdout, "");
			assert.match(stderr, text);
		});
		const { code, stdout } = await tetherctl({ home }, "-V");
		assert.equal(code, 0);
		assert.match(stdout, /^tetherctl \d+\.\d+\.\d+\n$/);
	});

	scenario("output that cannot be written", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const shell = (command) => run("sh", ["-c", command, "sh",
			programPath("tetherctl"), "-s", tetherd.socket]);

		await eachRow(["show status", "-j stats", "show config", "reload",
			"-V"], async (words) => {
			for (const [where, reason] of [
				[">/dev/full", "No space left on device"],
				[">&-", "Bad file descriptor"],
			]) {
				const { code, stderr } =
					await shell(`"$@" ${words} ${where}`);
				assert.equal(code, 4, where);
				assert.equal(stderr,
					`tetherctl: standard output: ${reason}\n`);
			}
		});
		assert.equal((await shell('"$@" log brief >&- 2>&- <&-')).code, 0);
		assert.equal((await shell('"$@" bogus 2>&-')).code, 1);
		assert.equal((await shell('"$@" -s /nonexistent stats 2>&-'))
			.code, 2);
	});

	scenario("nobody there", async (stage) => {
		const home = await stage.directory();
		const { code, stderr } = await tetherctl({ home }, "stats");
		assert.equal(code, 2);
		assert.ok(stderr.startsWith(
			`tetherctl: ${home}/tetherd.sock: No such file`), stderr);
		assert.match(stderr, /^tetherctl: \/run\/tetherd\/tetherd\.sock: /m);
		const other = join(home, "other");
		const named = await tetherctl({ home }, "-s", other, "stats");
		assert.equal(named.code, 2);
		assert.equal(named.stderr,
			`tetherctl: ${other}: No such file or directory\n` +
			"tetherctl: is tetherd running?\n");
		writeFileSync(other, "");
		assert.equal((await tetherctl({ home }, "-s", other, "stats")).code, 2);
	});
});

describe("control socket", { concurrency: 4 }, () => {
	scenario("is there from the start to the end", async (stage) => {
		const tetherd = await startTetherd(stage, {
			env: { ORCHESTRATOR_MODE: "standalone" },
		});
		await tetherd.line("startup complete");
		const { mode } = lstatSync(tetherd.socket);
		assert.equal(mode & 0o7777, 0o660);
		tetherd.signal("SIGTERM");
		assert.equal((await tetherd.ended()).code, 0);
		assert.ok(!existsSync(tetherd.socket));
	});

	scenario("of one that was killed is replaced", async (stage) => {
		const options = { env: { ORCHESTRATOR_MODE: "standalone" } };
		const first = await startTetherd(stage, options);
		await first.line("startup complete");
		first.signal("SIGKILL");
		await first.ended();
		assert.ok(existsSync(first.socket));
		options.env.RUNTIME_DIRECTORY = first.home;
		const second = await startTetherd(stage, options);
		await second.line("startup complete");
		assert.equal((await json(first, "show", "processes"))[0].pid,
			second.pid);
		assert.deepEqual(second.all("no control socket"), []);
	});

	scenario("of another one is left alone", async (stage) => {
		const options = { env: { ORCHESTRATOR_MODE: "standalone" } };
		const first = await startTetherd(stage, options);
		await first.line("startup complete");
		options.env.RUNTIME_DIRECTORY = first.home;
		const second = await startTetherd(stage, options);
		await second.line("startup complete");
		assert.deepEqual(second.all("control socket"), ["tetherd: " +
			`no control socket: ${first.socket}: another tetherd ` +
			"listens there"]);
		second.signal("SIGTERM");
		await second.ended();
		assert.equal((await json(first, "show", "processes"))[0].pid,
			first.pid);
	});

	scenario("of another one where it was asked for", async (stage) => {
		const env = { ORCHESTRATOR_MODE: "standalone" };
		const first = await startTetherd(stage, { env });
		await first.line("startup complete");
		const file = join(await stage.directory(), "tetherd.conf");
		writeFileSync(file, `control socket "${first.socket}"\n`);
		const second = await startTetherd(stage,
			{ env, args: ["-d", "-f", file] });
		assert.equal((await second.ended()).code, 1);
		assert.deepEqual(second.all("control socket"), ["tetherd: " +
			`control socket ${first.socket}: another tetherd listens there`]);
		writeFileSync(file, "control group no-such-group\n");
		const third = await startTetherd(stage,
			{ env, args: ["-d", "-f", file] });
		assert.equal((await third.ended()).code, 1);
		await third.line("control group no-such-group: no such group");
		assert.equal((await tetherctl(first, "stats")).code, 0);
	});

	scenario("where it was asked for, and for whom", { skip: NOT_ROOT },
		async (stage) => {
			const home = await stage.directory();
			chmodSync(home, 0o755);
			const socket = join(home, "control");
			const file = join(home, "tetherd.conf");
			writeFileSync(file, `control socket "${socket}"\n` +
				"control group daemon\n");
			const tetherd = await startTetherd(stage, {
				env: { ORCHESTRATOR_MODE: "standalone" },
				args: ["-d", "-f", file],
			});
			await tetherd.line("startup complete");
			const gid = Number((await run("getent", ["group", "daemon"]))
				.stdout.split(":")[2]);
			const { mode, gid: group } = lstatSync(socket);
			assert.equal(mode & 0o7777, 0o660);
			assert.equal(group, gid);
			const program = join(home, "tetherctl");
			copyFileSync(programPath("tetherctl"), program);
			const as = (groups, ...words) => run("setpriv",
				["--reuid", "4001", "--regid", "4001", "--groups", groups,
					program, "-s", socket, ...words]);
			assert.equal((await as(`${gid}`, "stats")).code, 0);
			assert.equal((await as(`${gid}`, "reload")).code, 3);
			assert.equal((await as("0", "stats")).code, 3);
		});

	scenario("ends with tetherd, and who waits is told", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const pid = tetherd.childPid("authd");
		process.kill(pid, "SIGSTOP");
		stage.atEnd(() => {
			try {
				process.kill(pid, "SIGCONT");
			} catch {
				// It has ended.
			}
		});
		const reload = tetherctl(tetherd, "reload");
		await tetherd.line("control: reload asked for");
		tetherd.signal("SIGTERM");
		const { code, stderr } = await reload;
		assert.equal(code, 4);
		assert.match(stderr, /reload failed|tetherd is stopping/);
		assert.equal((await tetherd.ended()).code, 0);
	});
});

// uid, gid and further groups of the process that asks.
const PEOPLE = {
	"root": null,
	"a member by the first group": ["4001", "0", "--clear-groups"],
	"a member by another group": ["4001", "4001", "--groups", "4002,0"],
	"a stranger": ["4001", "4001", "--groups", "4002"],
};
const READING = [["show", "status"], ["show", "processes"],
	["show", "limits"], ["show", "config"], ["stats"]];
const CHANGING = [["reload"], ["reconnect"], ["disconnect"], ["log", "brief"]];

describe("control socket: people", { concurrency: 2 }, () => {
	// Wide: the mode of the socket lets everybody in, only tetherd does not.
	for (const wide of [false, true])
		for (const [name, ids] of Object.entries(PEOPLE))
			scenario(`${name}${wide ? ", socket open to all" : ""}`,
				{ skip: NOT_ROOT }, async (stage) => {
					const { tetherd } = await startInstance(stage);
					const program = join(tetherd.home, "tetherctl");
					copyFileSync(programPath("tetherctl"), program);
					chmodSync(tetherd.home, 0o755);
					if (wide)
						chmodSync(tetherd.socket, 0o666);
					const as = (...args) => ids === null
						? run(program, ["-s", tetherd.socket, ...args])
						: run("setpriv", ["--reuid", ids[0],
							"--regid", ids[1], ...ids.slice(2),
							program, "-s", tetherd.socket, ...args]);
					const may = { look: name !== "a stranger",
						change: name === "root" };
					await eachRow(READING, async (words) => {
						const { code, stdout } = await as(...words);
						assert.equal(code, may.look ? 0 : 3);
						assert.equal(stdout !== "", may.look);
					});
					await eachRow(CHANGING, async (words) => {
						const { code, stderr } = await as(...words);
						assert.equal(code, may.change ? 0 : 3, stderr);
						if (!may.change)
							assert.match(stderr, /[Pp]ermission denied/);
					});
					if (!may.change)
						assert.deepEqual(tetherd.all("asked for"), []);
					if (may.look && !may.change || wide && !may.look)
						await tetherd.line(
							/control: uid 4001, pid \d+: permission denied/);
				});
});
