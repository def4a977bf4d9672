// Processes that die with 50 requests outstanding.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startHttpProxy } from "./lib/http-proxy.mjs";
import { request } from "./lib/http.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { startAll, startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const COUNT = 50;

// Hub, tetherd, and an upstream that holds 50 requests.
async function start(stage) {
	const held = [];
	let free = false;
	const upstream = await startUpstream(stage, (req, res) => {
		if (free)
			res.end("free");
		else
			held.push(res);
	});
	const { hub, tetherd } = await startAll(stage, { upstream });
	const get = (path) => request(hub.url + hub.base + path);
	const pending = Array.from({ length: COUNT }, (_, i) => get(`/${i}`));
	for (let i = 0; i < COUNT; i++)
		await upstream.requests.next();
	return {
		hub, tetherd, get, pending,
		release() {
			free = true;
			for (const res of held)
				res.end("held");
		},
	};
}

async function kill(tetherd, name) {
	process.kill(tetherd.childPid(name), "SIGKILL");
	await tetherd.line(
		`lost child: ${name} terminated; signal 9 (Killed)`);
}

// True once a process has ended, whether or not it was waited for.
function isGone(pid) {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		return / Z /.test(stat.slice(stat.lastIndexOf(")")));
	} catch {
		return true;
	}
}

const statuses = async (pending) =>
	(await Promise.all(pending)).map((answer) => answer.status);
const all = (status) => Array(COUNT).fill(status);

describe("a process is killed", { concurrency: 3 }, () => {
	scenario("proxyd: all are answered with 502", async (stage) => {
		const { tetherd, pending, release, get } = await start(stage);
		await kill(tetherd, "proxyd");
		assert.deepEqual(await statuses(pending), all(502));
		release();
		assert.equal((await get("/next")).text, "free");
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("proxyd: who comes right behind waits for the next one",
		async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			await kill(tetherd, "proxyd");
			assert.deepEqual(await statuses(Array.from(
				{ length: COUNT }, () => connection.request())), all(200));
			assert.equal(connection.surplus.length, 0);
		});

	scenario("authd: what is under way goes on", async (stage) => {
		const { tetherd, pending, release, get } = await start(stage);
		await kill(tetherd, "authd");
		release();
		assert.deepEqual(await statuses(pending), all(200));
		assert.equal((await get("/next")).text, "free");
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("connector: answers come on the new connection",
		async (stage) => {
			const { tetherd, pending, release, get } = await start(stage);
			const before = tetherd.lines.length;
			await kill(tetherd, "connector");
			await tetherd.registered(before);
			release();
			assert.deepEqual(await statuses(pending), all(200));
			assert.equal((await get("/next")).text, "free");
		});

	scenario("connector: answers that are ready too early wait",
		async (stage) => {
			const { tetherd, pending, release, get } = await start(stage);
			await kill(tetherd, "connector");
			release();
			assert.deepEqual(await statuses(pending), all(200));
			assert.equal((await get("/next")).text, "free");
		});

	scenario("all of them, three times", async (stage) => {
		const { tetherd, get, release } = await start(stage);
		release();
		for (let i = 0; i < 3; i++) {
			const before = tetherd.lines.length;
			for (const name of ["connector", "proxyd", "authd"])
				process.kill(tetherd.childPid(name), "SIGKILL");
			await tetherd.registered(before);
			assert.equal((await get("/next")).text, "free");
		}
		assert.equal(tetherd.all("lost child").length, 9);
	});

	scenario("authd while 50 users wait for it", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		const ask = (i) => connection.request({
			path: "/api/whoami",
			headers: identity(i + 1, `user${i}`),
		});
		const authd = tetherd.childPid("authd");
		process.kill(authd, "SIGSTOP");
		const pending = Array.from({ length: COUNT }, (_, i) => ask(i));
		// What needs no user is answered after those were passed on.
		assert.equal((await connection.request()).status, 200);
		await kill(tetherd, "authd");
		for (const status of await statuses(pending))
			assert.ok([200, 502, 503].includes(status), `${status}`);
		const next = await ask(0);
		assert.equal(next.status, 200);
		assert.equal(next.json.username, "user0");
		assert.equal(connection.surplus.length, 0);
	});

	scenario("proxyd hangs: each request is answered in time, and once",
		async (stage) => {
			const conf = await startConf(stage,
				"limits {\n\trequest time 1s\n}\n");
			const { tetherd, connection } = await startInstance(stage,
				{ args: conf.args });
			const proxyd = tetherd.childPid("proxyd");
			process.kill(proxyd, "SIGSTOP");
			const began = Date.now();
			// Some get there, some do not fit, and some come later.
			const pending = Array.from({ length: 200 }, () =>
				connection.request());
			pending.push(...Array.from({ length: 4 }, () =>
				connection.request({ method: "POST",
					body: "x".repeat(4 << 20) })));
			for (const status of await statuses(pending))
				assert.equal(status, 504);
			assert.ok(Date.now() - began < 15000);
			process.kill(proxyd, "SIGCONT");
			assert.equal((await connection.request()).status, 200);
			assert.equal(connection.surplus.length, 0);
			assert.equal(tetherd.childPid("proxyd"), proxyd);
		});

	scenario("tetherd: nothing stays behind", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		const pids = ["connector", "proxyd", "authd"]
			.map(tetherd.childPid);
		tetherd.signal("SIGKILL");
		await connection.closed;
		await tetherd.ended();
		for (const pid of pids)
			await until(() => isGone(pid), `${pid} is still there`);
	});
});

describe("a dialer dies", { concurrency: 2 }, () => {
	for (const [signal, how] of [["SIGKILL", "signal 9 (Killed)"],
		["SIGSYS", "signal 31 (SIGSYS): sandbox violation; " +
			"see type=1326 in the kernel's log"]])
		scenario(`${signal}: said, and it is dialed again`, async (stage) => {
			const proxy = await startHttpProxy(stage, { delay: 60000 });
			const tetherd = await startTetherd(stage, { env: {
				ORCHESTRATOR_URL: "wss://127.0.0.1:9",
				HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
			} });
			await proxy.tunnels.next();
			process.kill(tetherd.runningPid("dialer"), signal);
			await tetherd.line(
				`lost child: dialer terminated; ${how}`);
			await tetherd.line(
				`disconnected: dialer ${how}; next attempt in`);
			await proxy.tunnels.next();
		});
});

describe("the orchestrator goes away", { concurrency: 3 }, () => {
	scenario("with requests outstanding", async (stage) => {
		const held = [];
		const { orchestrator, connection, upstream, tetherd } =
			await startInstance(stage, {
				handle: (req, res) => held.push(res),
			});
		for (let i = 0; i < COUNT; i++)
			connection.request().catch(() => {});
		for (let i = 0; i < COUNT; i++)
			await upstream.requests.next();
		connection.socket.destroy();
		const next = await orchestrator.registered();
		for (const res of held.splice(0))
			res.end("late");
		const answer = next.request();
		await upstream.requests.next();
		held.pop().end("next");
		assert.equal((await answer).bytes.toString(), "next");
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("in the middle of a large answer", async (stage) => {
		const { orchestrator, connection, tetherd } =
			await startInstance(stage);
		connection.request({
			path: "/api/big",
			query: "bytes=20000000&type=text/plain",
		}).catch(() => {});
		await new Promise((resolve) =>
			connection.socket.once("data", resolve));
		connection.socket.destroy();
		const next = await orchestrator.registered();
		const answer = await next.request({
			path: "/api/big",
			query: "bytes=20000000&type=text/plain",
		});
		assert.equal(answer.bytes.length, 20000000);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("and does not read", async (stage) => {
		const { orchestrator, connection, tetherd } =
			await startInstance(stage, {
				env: { ORCHESTRATOR_HEARTBEAT_INTERVAL: "500" },
			});
		connection.socket.pause();
		for (let i = 0; i < 20; i++)
			connection.request({
				path: "/api/big",
				query: "bytes=10000000&type=text/plain",
			}).catch(() => {});
		// No pong comes back, so the connection is given up.
		const next = await orchestrator.registered(30000);
		assert.equal((await next.request()).status, 200);
		assert.deepEqual(tetherd.all("lost child"), []);
	});
});
