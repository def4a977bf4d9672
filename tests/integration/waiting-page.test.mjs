// Pages whose handle takes its time, and answers that grow on their way.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { BUILD } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const BASE = "/clients/box/proxy";
const LONG = `/${"p".repeat(1023)}`;
const WHO = identity(583231, "octocat");
const COUNT = 20;
const HANDLE = /"handle":"tether_[\w-]{43}"/;

const get = (connection, path = "/", members = {}) => connection.request({
	path, proxy_base: BASE, headers: WHO, ...members });
const type = (name) => ({ "Content-Type": name });
const statuses = (answers) => answers.map((answer) => answer.status);

// Somebody is signed in, then authd stops where it is.  serve(res, path) is
// the upstream, and says when it has written what it will at first.
async function start(stage, serve) {
	let served = 0;
	const instance = await startInstance(stage, {
		orchestrator: { register: { capabilities: ["status"] } },
		args: ["-d", "-v"],
		handle: (req, res) => {
			if (req.url === "/text")
				return res.writeHead(200, type("text/plain")).end();
			res.writeHead(200, type("text/html"));
			serve(res, req.url);
			served++;
		},
	});
	const { connection, tetherd } = instance;
	assert.equal((await get(connection, "/text")).status, 200);
	const authd = tetherd.childPid("authd");
	process.kill(authd, "SIGSTOP");
	return {
		...instance,
		// Ask for pages, which then wait.
		async ask(paths, members) {
			const pending = paths.map((path) =>
				get(connection, path, members));
			for (const answer of pending)
				answer.catch(() => {});
			await until(() => served >= paths.length, "not asked");
			// Behind those, as the loop goes.
			await get(connection, "/text", { headers: [] });
			return pending;
		},
		goOn: () => process.kill(authd, "SIGCONT"),
		async kill() {
			process.kill(authd, "SIGKILL");
			await tetherd.line("lost child: authd terminated");
		},
	};
}

// The most memory that a process ever had, in bytes.
const peak = (pid) => 1024 * Number(/VmHWM:\s+(\d+)/
	.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

describe("pages wait for authd", { concurrency: 3 }, () => {
	scenario("which is killed", async (stage) => {
		const text = "x".repeat(3e6);
		const { ask, kill, tetherd } = await start(stage, (res, path) => {
			res.write("<head>");
			if (path === "/large")
				res.end(text);
			else
				setTimeout(() => res.end("late"), 700);
		});
		const pending = await ask(Array.from({ length: COUNT },
			(_, i) => i % 2 ? "/large" : "/slow"));
		await kill();
		const answers = await Promise.all(pending);
		for (const [i, { status, body }] of answers.entries()) {
			assert.equal(status, 200);
			assert.match(body, HANDLE);
			assert.ok(body.endsWith(i % 2 ? text : "late"));
		}
		for (const line of tetherd.lines)
			assert.doesNotMatch(line, /tether_[\w-]{43}|eyJ/);
	});

	scenario("for too long: 504", async (stage) => {
		const { ask, goOn, connection, tetherd } =
			await start(stage, (res) => res.end("<head>"));
		const began = Date.now();
		const pending = await ask(["/", "/"]);
		pending.push(get(connection, "/__tether/handle",
			{ method: "POST", body: "" }));
		assert.deepEqual(statuses(await Promise.all(pending)),
			[504, 504, 504]);
		assert.ok(Date.now() - began < 30000);
		goOn();
		assert.match((await get(connection)).body, HANDLE);
		assert.equal(connection.surplus.length, 0);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("and the orchestrator goes away", async (stage) => {
		const { ask, goOn, connection, orchestrator, tetherd } =
			await start(stage, (res) => res.end("x".repeat(2e6)));
		await ask(Array(COUNT).fill("/"));
		connection.socket.destroy();
		await tetherd.line("disconnected");
		goOn();
		const next = await orchestrator.registered();
		assert.match((await get(next)).body, HANDLE);
		assert.equal(next.surplus.length, 0);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("and the web app goes away", async (stage) => {
		const held = [];
		const { ask, goOn, tetherd } = await start(stage, (res) => {
			res.write("<head>");
			held.push(res);
		});
		const pending = await ask(Array(COUNT).fill("/"));
		for (const res of held)
			res.socket.destroy();
		goOn();
		assert.deepEqual(statuses(await Promise.all(pending)),
			Array(COUNT).fill(502));
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	// Each of these bytes can become 500.
	scenario("and are too large when they go on", async (stage) => {
		const { ask, goOn, tetherd } = await start(stage, (res) =>
			res.write(`<a ping='${"/ ".repeat(32760)}`));
		const pending = await ask(["/", "/", "/"],
			{ proxy_base: LONG });
		goOn();
		const began = Date.now();
		assert.deepEqual(statuses(await Promise.all(pending)),
			[502, 502, 502]);
		// Not when something else stirs, or the time is over.
		assert.ok(Date.now() - began < 4000);
		assert.deepEqual(tetherd.all("lost child"), []);
	});
});

describe("answers grow", { concurrency: 1 }, () => {
	scenario("and many of them together stay within bounds",
		async (stage) => {
			const bodies = {
				"/a.html": ["text/html", "<a href=/>".repeat(1e5)],
				"/a.css": ["text/css", "url(/)".repeat(2e5)],
				"/a.js": ["text/javascript", "'/ws'".repeat(2e5)],
			};
			const { connection, tetherd } = await startInstance(stage, {
				handle: (req, res) => {
					const [name, body] = bodies[req.url];
					res.writeHead(200, type(name));
					res.end(body);
				},
			});
			const paths = Object.keys(bodies);
			const answers = await Promise.all(Array.from({ length: 99 },
				(_, i) => get(connection, paths[i % 3],
					{ proxy_base: LONG })));
			for (const status of statuses(answers))
				assert.ok([502, 503].includes(status), `${status}`);
			// A sanitizer's memory is its own.
			if (!BUILD.includes("address"))
				assert.ok(peak(tetherd.childPid("proxyd")) < 350e6);
			assert.deepEqual(tetherd.all("lost child"), []);
		});
});
