// Start, signals, stop.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { Orchestrator, identity } from "./lib/orchestrator.mjs";
import { CLIENT, programPath, SECRET, startTetherd, TOKEN }
	from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];
const STOP_MAX = 5000;

async function endsCleanly(tetherd, signal) {
	const start = Date.now();
	tetherd.signal(signal);
	const { code } = await tetherd.ended();
	assert.equal(code, 0);
	assert.ok(Date.now() - start < STOP_MAX, "took too long");
}

describe("lifecycle", { concurrency: 4 }, () => {
	for (const signal of ["SIGTERM", "SIGINT"])
		scenario(`${signal} ends it with status 0`, async (stage) => {
			const { tetherd, connection } = await startInstance(stage);

			await tetherd.line("tetherd: startup");
			await endsCleanly(tetherd, signal);
			await tetherd.line("tetherd: terminating");
			const { code } = await connection.closed;
			assert.equal(code, 1000);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("an answer in flight is finished first", async (stage) => {
		const { tetherd, connection, upstream } = await startInstance(stage, {
			handle: (req, res) =>
				setTimeout(() => res.end("done"), 1000),
		});
		const answer = connection.request();
		await upstream.requests.next();
		await endsCleanly(tetherd, "SIGTERM");
		assert.equal((await answer).bytes.toString(), "done");
		assert.equal((await connection.closed).code, 1000);
	});

	scenario("an upstream that hangs does not delay the end", async (stage) => {
		const { tetherd, connection, upstream } = await startInstance(stage, {
			handle: () => {},
		});
		const answer = connection.request();
		await upstream.requests.next();
		await endsCleanly(tetherd, "SIGTERM");
		assert.equal((await answer).status, 503);
		assert.equal((await connection.closed).code, 1000);
	});

	scenario("an orchestrator that goes meanwhile does not, either",
		async (stage) => {
			const { tetherd, connection, upstream } =
				await startInstance(stage, { handle: () => {} });
			connection.request().catch(() => {});
			await upstream.requests.next();
			const start = Date.now();
			tetherd.signal("SIGTERM");
			await tetherd.line("tetherd: terminating");
			connection.socket.destroy();
			assert.equal((await tetherd.ended()).code, 0);
			// Nobody waits for that answer any more.
			assert.ok(Date.now() - start < 2500, "took too long");
			assert.deepEqual(tetherd.all("next attempt"), []);
		});

	scenario("SIGHUP leaves alone what does not change", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		const pids = CHILDREN.map(tetherd.childPid);
		const before = tetherd.lines.length;

		tetherd.signal("SIGHUP");
		await tetherd.line(/reload|configuration/, { from: before });
		assert.equal((await connection.request({
			path: "/api/auth/status" })).status, 200);
		assert.deepEqual(CHILDREN.map(tetherd.childPid), pids);
	});

	scenario("SIGHUP reads the file of -e again", async (stage) => {
		const file = join(await stage.directory(), "env");
		await writeFile(file, "ORCHESTRATOR_CLIENT_ID=first\n");
		const { orchestrator, tetherd, connection } = await startInstance(stage, {
			args: ["-d", "-e", file],
			env: { ORCHESTRATOR_CLIENT_ID: undefined },
		});
		assert.equal(connection.register.client_id, "first");
		const authd = tetherd.childPid("authd");

		await writeFile(file, "ORCHESTRATOR_CLIENT_ID=second\n");
		tetherd.signal("SIGHUP");
		const next = await orchestrator.registered();
		assert.equal(next.register.client_id, "second");
		assert.equal(tetherd.childPid("authd"), authd);
		assert.equal((await next.request({
			path: "/api/whoami",
			headers: identity(7, "ada"),
		})).json.username, "ada");
	});

	scenario("SIGHUP locks out whom the settings name no more",
		async (stage) => {
			const file = join(await stage.directory(), "env");
			await writeFile(file, "ORCHESTRATOR_GITHUB_USERS=ada,bob\n");
			const { tetherd, connection } = await startInstance(stage, {
				args: ["-d", "-e", file],
			});
			const ask = async (id, login) => (await connection.request({
				path: "/api/whoami", headers: identity(id, login),
			})).status;
			assert.equal(await ask(7, "ada"), 200);
			assert.equal(await ask(8, "bob"), 200);

			await writeFile(file, "ORCHESTRATOR_GITHUB_USERS=bob\n");
			const authd = tetherd.childPid("authd");
			tetherd.signal("SIGHUP");
			await tetherd.line("settings reloaded");
			// Far less than the minute that an answer is kept for.
			await until(async () => await ask(7, "ada") === 403,
				"ada is still let in");
			assert.equal(await ask(8, "bob"), 200);
			assert.equal(tetherd.childPid("authd"), authd);
			assert.equal(tetherd.all("registered with").length, 1);
		});

	scenario("SIGHUP with a wrong file keeps what there is", async (stage) => {
		const file = join(await stage.directory(), "env");
		await writeFile(file, "ORCHESTRATOR_CLIENT_ID=first\n");
		const { tetherd, connection } = await startInstance(stage, {
			args: ["-d", "-e", file],
			env: { ORCHESTRATOR_CLIENT_ID: undefined },
		});

		await writeFile(file, "\nORCHESTRATOR_RECONNECT_INTERVAL=soon\n");
		tetherd.signal("SIGHUP");
		await tetherd.line(`${file}:2: ORCHESTRATOR_RECONNECT_INTERVAL: `);
		assert.equal((await connection.request()).status, 200);
	});

	scenario("SIGUSR1 logs the state", async (stage) => {
		const { tetherd } = await startInstance(stage);
		const before = tetherd.lines.length;

		tetherd.signal("SIGUSR1");
		for (const name of CHILDREN)
			await tetherd.line(new RegExp(`${name}\\[\\d+\\]: `),
				{ from: before });
	});

	scenario("SIGUSR2 connects anew", async (stage) => {
		const { orchestrator, tetherd, connection } = await startInstance(stage);

		tetherd.signal("SIGUSR2");
		assert.equal((await connection.closed).code, 1000);
		const next = await orchestrator.registered();
		assert.equal((await next.request()).status, 200);
	});

	scenario("mode standalone connects nowhere", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const tetherd = await startTetherd(stage, {
			env: {
				ORCHESTRATOR_MODE: "standalone",
				ORCHESTRATOR_URL: orchestrator.url,
			},
		});
		for (const name of CHILDREN)
			await tetherd.line(`tetherd: ${name}: started, pid `);
		tetherd.signal("SIGUSR2");
		await endsCleanly(tetherd, "SIGTERM");
		assert.equal(orchestrator.upgrades.length, 0);
	});

	scenario("five deaths in a minute end it with status 1",
		async (stage) => {
			const { tetherd } = await startInstance(stage);

			for (let i = 1; i <= 5; i++) {
				await tetherd.line("tetherd: proxyd: started, pid ",
					{ from: nthLine(tetherd, i) });
				process.kill(tetherd.childPid("proxyd"), "SIGKILL");
				await tetherd.line("tetherd: lost child: proxyd " +
					"terminated; signal 9 (Killed)",
					{ from: nthLost(tetherd, i) });
			}
			const { code } = await tetherd.ended();
			assert.equal(code, 1);
		});
});

// Where to look for the n-th line of that kind: after n - 1 of them.
function after(tetherd, text, n) {
	let at = 0;
	for (let i = 1; i < n; i++)
		at = tetherd.lines.findIndex((line, j) =>
			j >= at && line.includes(text)) + 1;
	return at;
}
const nthLine = (t, n) => after(t, "tetherd: proxyd: started, pid ", n);
const nthLost = (t, n) => after(t, "lost child: proxyd", n);

describe("command line", { concurrency: 4 }, () => {
	const good = {
		ORCHESTRATOR_MODE: "client",
		ORCHESTRATOR_URL: "ws://127.0.0.1:1/ws/connect",
		ORCHESTRATOR_TOKEN: TOKEN,
		ORCHESTRATOR_CLIENT_ID: CLIENT,
		JWT_SECRET: SECRET,
	};
	const run = async (stage, args, env) => {
		const home = await stage.directory();
		const tetherd = stage.start("tetherd", programPath("tetherd"),
			args, { cwd: home, env: { HOME: home, ...env } });
		const { code } = await tetherd.ended();
		return { code, lines: tetherd.lines };
	};

	scenario("-n finds nothing wrong with good settings", async (stage) => {
		const { code, lines } = await run(stage, ["-n"], good);
		assert.deepEqual(lines, ["configuration OK"]);
		assert.equal(code, 0);
	});

	scenario("-V", async (stage) => {
		const { code, lines } = await run(stage, ["-V"], {});
		assert.match(lines.join("\n"), /^tetherd \d+\.\d+/);
		assert.equal(code, 0);
	});

	scenario("an unknown flag", async (stage) => {
		const { code, lines } = await run(stage, ["-Q"], good);
		assert.match(lines.join("\n"), /usage: tetherd/);
		assert.equal(code, 1);
	});

	// The setting, its value, what the one line says about it.
	const wrong = [
		["ORCHESTRATOR_MODE", "server", /neither standalone nor client/],
		["ORCHESTRATOR_URL", undefined, /not set/],
		["ORCHESTRATOR_URL", "http://127.0.0.1/", /not a ws:\/\/ or wss/],
		["ORCHESTRATOR_URL", "ws://", /host/],
		["ORCHESTRATOR_URL", "ws://a:65536/", /port/],
		["ORCHESTRATOR_URL", "ws://a:x/", /port/],
		["ORCHESTRATOR_URL", "ws://a b/", /./],
		["ORCHESTRATOR_URL", "ws://a/\r\nX: y", /./],
		["ORCHESTRATOR_TOKEN", "ao_1 2", /./],
		["ORCHESTRATOR_CLIENT_ID", "a/b", /./],
		["ORCHESTRATOR_CLIENT_ID", "..", /./],
		["ORCHESTRATOR_RECONNECT_INTERVAL", "soon", /number/],
		["ORCHESTRATOR_RECONNECT_INTERVAL", "0", /number/],
		["ORCHESTRATOR_HEARTBEAT_INTERVAL", "-1", /number/],
		["ORCHESTRATOR_CALLBACK_URL", "ftp://a", /http/],
		["PORT", "0", /number/],
		["PORT", "65536", /number/],
		["PORT", "3001x", /number/],
		["SSL_CERT_FILE", "/nonexistent/ca.pem", /No such file/],
	];
	for (const [name, value, why] of wrong)
		for (const args of [["-n"], ["-d"]])
			scenario(`${args}: ${name}=${JSON.stringify(value)}`,
				async (stage) => {
					const { code, lines } = await run(stage,
						args, { ...good, [name]: value ?? "" });
					assert.equal(lines.length, 1, lines.join("\n"));
					assert.ok(lines[0]
						.startsWith(`tetherd: ${name}: `), lines[0]);
					assert.match(lines[0], why);
					assert.equal(code, 1);
				});

	scenario("-e: a file that cannot be read", async (stage) => {
		const { code, lines } = await run(stage,
			["-n", "-e", "/nonexistent/env"], good);
		assert.equal(lines.length, 1, lines.join("\n"));
		assert.match(lines[0],
			/^tetherd: \/nonexistent\/env: No such file/);
		assert.equal(code, 1);
	});

	scenario("-e: the line of a wrong setting", async (stage) => {
		const file = join(await stage.directory(), "env");
		await writeFile(file, "# the app's\nVITE_PORT=5173\nPORT=none\n");
		const { code, lines } = await run(stage, ["-n", "-e", file], good);
		assert.equal(lines.length, 1, lines.join("\n"));
		assert.match(lines[0], /^tetherd: .*\/env:3: PORT: /);
		assert.equal(code, 1);
	});

	scenario("-e: the environment wins", async (stage) => {
		const file = join(await stage.directory(), "env");
		await writeFile(file, "ORCHESTRATOR_URL=ftp://a\n" +
			"ORCHESTRATOR_MODE=standalone\n");
		const { code, lines } = await run(stage, ["-n", "-e", file], good);
		assert.deepEqual(lines, ["configuration OK"]);
		assert.equal(code, 0);
	});

	for (const name of [...CHILDREN, "dialer", "launcher"])
		scenario(`${name} refuses to be run by hand`, () => {
			const { status, stderr } = spawnSync(programPath(name), [],
				{ encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
			assert.equal(status, 1);
			assert.match(stderr, /tetherd/);
		});
});
