// What each message needs, what it means, and what becomes of one that is not
// as it should be.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { BUILD, CLIENT, startHub, startTetherd, TOKEN }
	from "./lib/programs.mjs";
import { frame, OPCODES, RawOrchestrator, text }
	from "./lib/raw-orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";
import { freePort } from "./lib/upstream.mjs";

async function start(stage, options = {}, env = {}) {
	const orchestrator = await Orchestrator.start(stage, options);
	const tetherd = await startTetherd(stage, { env: {
		ORCHESTRATOR_URL: orchestrator.url, PORT: "1", ...env } });
	const connection = await orchestrator.registered();
	if (options.register !== false)
		await tetherd.registered();
	return { orchestrator, tetherd, connection };
}

async function stands({ orchestrator, connection }) {
	assert.equal((await connection.request()).status, 502);
	assert.equal(orchestrator.upgrades.length, 1);
	assert.equal(connection.surplus.length, 0);
	assert.deepEqual(connection.messages.items, []);
}

const string = (type, member, others = {}) => [undefined, null, 7, true, {},
	["x"]].map((value) => [{ type, ...others, [member]: value },
	`${type} without a valid ${member} ignored`]);

describe("messages", { concurrency: 6 }, () => {
	// The message, and the line that it leads to.
	const wrong = [
		...["{", "{} {}", "[]", "[{\"type\":\"pong\"}]", "null", "7", "true",
			"\"pong\"", "", " ", "\u0000", "{\"type\":\"pong\"",
			"{'type':'pong'}", "{\"type\":\"pong\"}x"]
			.map((json) => [json, "message that is not a JSON object"]),
		...[{}, { type: 7 }, { type: null }, { type: ["pong"] },
			{ Type: "pong" }]
			.map((message) => [message, "message without a type"]),
		...[undefined, null, 1, "true", "", {}, []].flatMap((success) => [
			[{ type: "registered", success },
				"registered without a valid success ignored"],
			[{ type: "pending_registered", success },
				"pending_registered without a valid success ignored"],
		]),
		...string("command", "command"),
		...string("error", "message"),
		...string("user_request", "request_id", { action: "x" }),
		...string("user_request", "action", { request_id: "r" }),
		...string("user_request_follow_up", "request_id"),
		...string("http_proxy_request", "request_id",
			{ method: "GET", path: "/" }),
		...string("token_granted", "token", { client_id: "x" }),
		...string("token_granted", "client_id", { token: "ao_1_x" }),
		...string("authorization_denied", "reason"),
		...string("authorization_timeout", "message"),
		// As they should be, but not for an instance that is registered.
		[{ type: "token_granted", token: "ao_1_x", client_id: "x" },
			"token_granted ignored: not pending"],
		[{ type: "authorization_denied", reason: "no" },
			"authorization_denied ignored: not pending"],
		[{ type: "authorization_timeout", message: "late" },
			"authorization_timeout ignored: not pending"],
		[{ type: "pending_registered", success: true },
			"pending_registered ignored: not pending"],
		[{ type: "command", command: "dance" }, "command ignored: dance"],
		[{ type: "command", command: "" }, "command ignored: "],
		[{ type: "command", command: "DISCONNECT" },
			"command ignored: DISCONNECT"],
	];
	// No more of them than the log has room for in a minute.
	for (let at = 0; at < wrong.length; at += 90)
		scenario(`3 what is malformed is logged and ignored, ${at / 90 + 1}`,
			async (stage) => {
				const started = await start(stage);
				const { connection, tetherd } = started;
				await eachRow(wrong.slice(at, at + 90),
					async ([message, line]) => {
						const from = tetherd.lines.length;
						connection.send(message);
						await tetherd.line(line, { from, timeout: 5000 });
					});
				await stands(started);
			});

	scenario("3 unknown types are ignored, and are no news",
		async (stage) => {
			const started = await start(stage);
			const { connection, tetherd } = started;
			const from = tetherd.lines.length;
			for (const type of ["", "unheard_of", "PONG", "ping", "register",
				"http_proxy_response", "__proto__", "x".repeat(100000)])
				connection.send({ type, success: true });
			assert.equal((await connection.request()).status, 502);
			assert.deepEqual(tetherd.lines.slice(from)
				.filter((line) => line.includes("connector")), []);
			await stands(started);
		});

	scenario("3 unknown types at debug level", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const tetherd = await startTetherd(stage, { args: ["-d", "-v"],
			env: { ORCHESTRATOR_URL: orchestrator.url, PORT: "1" } });
		const connection = await orchestrator.registered();
		connection.send({ type: "unheard\u001b_of" });
		await tetherd.line(
			/message of unknown type ignored: unheard[^\u001b]*_of$/);
	});

	scenario("3 optional members may be absent, null or more",
		async (stage) => {
			const { connection, tetherd, orchestrator } =
				await start(stage, { register: false });
			connection.send({ type: "registered", success: true,
				message: null, capabilities: null, more: { a: [1] } });
			await tetherd.registered();
			await eachRow([
				{ headers: undefined, body: undefined, query: undefined,
					proxy_base: undefined },
				{ headers: null, body: null, query: null, proxy_base: null,
					body_encoding: null },
				{ more: 1, headers: [] },
			], async (members) => assert.equal(
				(await connection.request(members)).status, 502));
			connection.send({ type: "pong" });
			connection.send({ type: "pong", client_id: null });
			await stands({ connection, orchestrator });
		});

	scenario("3 registered, success:false, in all its forms",
		async (stage) => {
			const { orchestrator, tetherd, connection } =
				await start(stage, { register: false });
			let next = connection;
			await eachRow([
				[{ message: "no room" }, "registration refused: no room"],
				[{}, "registration refused: "],
				[{ message: null }, "registration refused: "],
				[{ message: 7, success: false }, "registration refused: "],
				[{ message: "a\r\nb" }, /registration refused: a..?b/],
			], async ([members, line]) => {
				const from = tetherd.lines.length;
				next.send({ type: "registered", success: false,
					...members });
				await tetherd.line(line, { from });
				assert.equal((await next.closed).code, 1000);
				await tetherd.line("staying so until asked", { from });
				tetherd.signal("SIGUSR2");
				next = await orchestrator.registered();
			});
			assert.deepEqual(tetherd.all("next attempt"), []);
		});

	scenario("3 registered, success:false, once it is up", async (stage) => {
		const { connection, tetherd } = await start(stage);
		connection.send({ type: "registered", success: false,
			message: "no longer" });
		assert.equal((await connection.closed).code, 1000);
		await tetherd.line("registration refused: no longer");
		assert.deepEqual(tetherd.all("next attempt"), []);
	});

	// A redirect is followed for who cannot have it, else passed on.
	const redirect = (req, res) => (req.url === "/end" ? res.end("end")
		: res.writeHead(302, { Location: "/end" }).end());

	scenario("6 capabilities: status, or what is none", async (stage) => {
		const { orchestrator, connection } =
			await startInstance(stage, { handle: redirect });
		let now = connection;
		await eachRow([
			...[undefined, null, "status", 7, {}, [], { status: true },
				[["status"]], ["STATUS"], ["status "], ["statu"],
				[null, {}], Array(1000).fill("x")]
				.map((capabilities) => [capabilities, 200]),
			[["status"], 302], [[1, "x", "status", "status"], 302],
			[undefined, 200],
		], async ([capabilities, status]) => {
			orchestrator.options.register = { capabilities };
			now.socket.destroy();
			now = await orchestrator.registered();
			assert.equal((await now.request()).status, status);
		});
	});

	scenario("6 registered again changes nothing", async (stage) => {
		const { connection } =
			await startInstance(stage, { handle: redirect });
		connection.send({ type: "registered", success: true,
			capabilities: ["status"] });
		assert.equal((await connection.request()).status, 200);
	});

	scenario("6 encodings of a body that nobody knows", async (stage) => {
		const { connection } = await startInstance(stage, {
			handle: (req, res) => res.end(req.body) });
		await eachRow(["gzip", "", "BASE64", 7, ["base64"]],
			async (body_encoding) => assert.equal((await connection.request(
				{ method: "POST", body: "YQ==", body_encoding })).status,
			400));
	});
});

// The most that a process ever had, in kB.
const memory = async (pid) => Number(/VmHWM:\s+(\d+) kB/.exec(
	await readFile(`/proc/${pid}/status`, "utf8"))[1]);

describe("floods", { concurrency: 2 }, () => {
	const MANY = 100000;
	const error = (n) => text({ type: "error", message: `no ${n}` });

	// What is sent how often.
	for (const [name, n, make] of [
		["small messages", MANY, () => text({ type: "pong" })],
		["text that is no JSON", MANY, () => text("{")],
		["empty text", MANY, () => text("")],
		["errors", MANY, error],
		["binary messages", MANY, () => frame(OPCODES.binary, "x")],
		["pings", 10000, (i) => frame(OPCODES.ping, `${i}`)],
		["unknown types", 10000, (i) => text({ type: `unknown_${i}` })],
		["commands", 10000, () => text({ type: "command", command: "x" })],
		["members that are missing", 10000, () => text(
			{ type: "http_proxy_request" })],
	])
		scenario(`3 a flood of ${name}`, async (stage) => {
			const orchestrator = await RawOrchestrator.start(stage);
			const tetherd = await startTetherd(stage, { env: {
				ORCHESTRATOR_URL: orchestrator.url, PORT: "1" } });
			const connection = await orchestrator.registered();
			const pid = tetherd.childPid("connector");
			await connection.request();
			const before = await memory(pid);
			connection.write(Buffer.concat(
				Array.from({ length: n }, (_, i) => make(i))));
			assert.equal((await connection.request()).status, 502);
			const more = await memory(pid) - before;
			assert.ok(BUILD.includes("address") || more < 8192,
				`${more} kB more`);
			assert.ok(tetherd.lines.length < 200,
				`${tetherd.lines.length} lines`);
			assert.deepEqual(tetherd.all("lost child"), []);
			assert.equal(orchestrator.attempts, 1);
			if (name === "pings")
				await connection.frames.next(({ payload }) =>
					payload.toString() === `${n - 1}`);
		});
});

describe("floods that are not read", { concurrency: 2 }, () => {
	for (const [name, bytes, n] of [
		["pings", frame(OPCODES.ping), 3000000],
		["requests for the status", text({ type: "command",
			command: "refresh_status" }), 100000],
	])
		scenario(`3 a flood of ${name}, whose answers nobody reads`,
			async (stage) => {
				const orchestrator = await RawOrchestrator.start(stage);
				const tetherd = await startTetherd(stage, { env: {
					ORCHESTRATOR_URL: orchestrator.url, PORT: "1" } });
				const connection = await orchestrator.registered();
				const pid = tetherd.childPid("connector");
				await connection.request();
				const before = await memory(pid);
				connection.socket.pause();
				connection.write(Buffer.alloc(bytes.length * n, bytes));
				await until(() => connection.socket.writableLength === 0,
					"it does not read");
				connection.socket.resume();
				assert.equal((await connection.request()).status, 502);
				const more = await memory(pid) - before;
				assert.ok(BUILD.includes("address") || more < 24576,
					`${more} kB more`);
				assert.deepEqual(tetherd.all("lost child"), []);
			});
});

describe("connections", { concurrency: 8 }, () => {
	const delayIn = (line) => Number(/next attempt in (\d+) ms/.exec(line)[1]);

	scenario("3 the first delay is 5 s, unless it is set", async (stage) => {
		const { connection, tetherd } = await start(stage, {},
			{ ORCHESTRATOR_RECONNECT_INTERVAL: undefined });
		connection.socket.destroy();
		const delay = delayIn(await tetherd.line("next attempt"));
		assert.ok(delay >= 3750 && delay <= 6250, `${delay} ms`);
	});

	scenario("3 it does not give up, and 60 s are the most",
		async (stage) => {
			const tetherd = await startTetherd(stage, { env: {
				ORCHESTRATOR_URL: `ws://127.0.0.1:${await freePort()}/`,
				ORCHESTRATOR_RECONNECT_INTERVAL: "20", PORT: "1" } });
			for (let i = 0; i < 13; i++)
				await tetherd.line("next attempt",
					{ from: i === 0 ? 0 : tetherd.lines.findLastIndex(
						(l) => l.includes("next attempt")) + 1 });
			const slow = await startTetherd(stage, { env: {
				ORCHESTRATOR_URL: `ws://127.0.0.1:${await freePort()}/`,
				ORCHESTRATOR_RECONNECT_INTERVAL: "59000", PORT: "1" } });
			const delay = delayIn(await slow.line("next attempt"));
			assert.ok(delay <= 60000, `${delay} ms`);
		});

	scenario("3 instances do not all come back at once", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await start(stage, {}, { ORCHESTRATOR_RECONNECT_INTERVAL: "1000" });
		connection.socket.destroy();
		const delays = new Set();
		let at = 0;
		for (let i = 0; i < 5; i++) {
			delays.add(delayIn(await tetherd.line("next attempt",
				{ from: at })));
			at = tetherd.lines.length;
			tetherd.signal("SIGUSR2");
			const next = await orchestrator.registered();
			await tetherd.registered(at);
			next.socket.destroy();
		}
		assert.ok(delays.size > 1, `always ${[...delays]}`);
	});

	scenario("3 a close is a close, whatever code it has", async (stage) => {
		const { orchestrator, tetherd, connection } = await start(stage);
		let next = connection;
		for (const code of [1000, 1001, 1008, 1011, 1012, 4000, 4999]) {
			const from = tetherd.lines.length;
			await next.close(code, "go");
			await tetherd.line(`disconnected: closed with ${code} go; next`,
				{ from });
			next = await orchestrator.registered();
		}
	});

	const join = (stage, hub, env) => startTetherd(stage, { env: {
		ORCHESTRATOR_URL: hub.connectUrl, PORT: "1", ...env } });

	scenario("1 tether-hub: a token that it does not know", async (stage) => {
		const tetherd = await join(stage, await startHub(stage),
			{ ORCHESTRATOR_TOKEN: `${TOKEN}x` });
		assert.match(await tetherd.line("HTTP 401"),
			/next attempt in 60000 ms/);
	});

	scenario("3 tether-hub: pings are answered", async (stage) => {
		const tetherd = await join(stage, await startHub(stage),
			{ ORCHESTRATOR_HEARTBEAT_INTERVAL: "200" });
		await tetherd.registered();
		await new Promise((resolve) => setTimeout(resolve, 12000));
		assert.deepEqual(tetherd.all("disconnected"), []);
	});

	scenario("3 tether-hub: the same client id again", async (stage) => {
		const hub = await startHub(stage);
		const tetherd = await join(stage, hub);
		assert.match(await tetherd.registered(),
			new RegExp(`registered with ${hub.connectUrl.slice(0, -11)
				.replaceAll(".", "\\.")} as ${CLIENT}$`));
		const from = tetherd.lines.length;
		tetherd.signal("SIGUSR2");
		await tetherd.registered(from);
		assert.deepEqual(tetherd.all("refused"), []);
	});
});
