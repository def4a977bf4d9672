// Somebody took over connector, which speaks with the orchestrator.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { TOKEN } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { assertUnharmed, batches, eachIsTheEnd, got, MALFORMED, NOT_HERE, send,
	startTakeover, str, TO_PARENT, u32, u64 } from "./lib/takeover.mjs";
import { until } from "./lib/time.mjs";

const HANDLE = `tether_${"A".repeat(43)}`;

const WRONG = [
	...TO_PARENT,
	["GitHub", send("tetherd", "DIAL_GITHUB"), NOT_HERE],
	["audit", send("tetherd", "AUDIT", [Buffer.alloc(64)]), MALFORMED],
	["an answer to the operator", send("tetherd", "ADMIN_DONE",
		[u32(1), str("x")]), NOT_HERE],

	["somebody's session", send("authd", "SESSION_GET", [u64(1), str("ada")]),
		NOT_HERE],
	["a session by token", send("authd", "SESSION_GET_BY_TOKEN",
		[str("gho_x")]), NOT_HERE],
	["the instance's session", send("authd", "SESSION_GET_SERVICE",
		[u32(0)]), NOT_HERE],
	["a handle", send("authd", "HANDLE_NEW", [u64(1), str("ada")]), NOT_HERE],
	["whose handle it is", send("authd", "HANDLE_CHECK", [str(HANDLE)]),
		NOT_HERE],
	["the operator's wish", send("authd", "ADMIN",
		[u32(3), str("ada"), str("full")]), NOT_HERE],
	["other settings", send("authd", "CONF_AUTHD", [Buffer.alloc(64)]),
		NOT_HERE],
	["a token with lines", send("authd", "TOKEN_GRANTED",
		[u64(0), str("a\r\nb"), str("box")]), MALFORMED],
	["a token for a path", send("authd", "TOKEN_GRANTED",
		[u64(0), str("ao_1_x"), str("a/../b")]), MALFORMED],
	["a channel", send("authd", "PEER", [u32(2)], { fds: 1 }), NOT_HERE],
	["garbage for authd", "raw authd 65536 1 0", "unknown message type"],
	["descriptors for authd", "raw authd 16 5000 253", "malformed datagram"],

	["a session for proxyd", send("proxyd", "SESSION", [Buffer.alloc(64)]),
		NOT_HERE],
	["no number", send("proxyd", "REQUEST", [Buffer.from("{}")]), MALFORMED],
	["two requests in one", `${send("proxyd", "REQUEST", [Buffer.from("{")],
		{ id: 1e9, flags: 1 })} ; ${send("proxyd", "REQUEST",
		[Buffer.from("{")], { id: 1e9 + 1 })}`, MALFORMED],
	["a client id for pages", send("proxyd", "LINK_UP",
		[u32(0), u64(1 << 20), str("\"><script>")]), MALFORMED],
	["unknown capabilities", send("proxyd", "LINK_UP",
		[u32(0x80), u64(1 << 20), str("box")]), MALFORMED],
	["a request with a descriptor", send("proxyd", "REQUEST",
		[Buffer.from("{}")], { id: 1e9, fds: 1 }),
	"descriptor missing or not allowed"],
	["garbage for proxyd", "raw proxyd 65536 1 0", "unknown message type"],
	["descriptors for proxyd", "raw proxyd 16 5000 253",
		"malformed datagram"],
];

describe("connector says what it may not", { concurrency: 3 }, () => {
	for (const rows of batches(WRONG))
		scenario(rows.map(([what]) => what).join(", "), (stage) =>
			eachIsTheEnd(stage, "connector", rows));
});

const request = (id, user, members = {}) => Buffer.from(JSON.stringify({
	type: "http_proxy_request", request_id: `drill-${id}`, method: "GET",
	path: "/api/whoami", headers: identity(...user), body: null, query: null,
	proxy_base: null, ...members }));

describe("connector says what it may", { concurrency: 3 }, () => {
	scenario("the token again and again: its own, and no other",
		async (stage) => {
			const t = await startTakeover(stage, ["connector go " +
				`${send("authd", "TOKEN_GET", [u64(0)],
					{ id: 7, times: 20000 })} ; read authd 50`]);
			const before = t.pids();
			t.strike();
			const lines = await t.outcome();
			const tokens = got(lines, "TOKEN");
			assert.ok(tokens.length > 0);
			for (const token of tokens)
				assert.deepEqual(token,
					Buffer.concat([str(TOKEN), str("")]));
			await assertUnharmed(t, before);
		});

	scenario("a token that was granted is not kept", async (stage) => {
		const t = await startTakeover(stage, ["connector go " +
			send("authd", "TOKEN_GRANTED",
				[u64(0), str("ao_9_evil"), str("evil")], { times: 100 })]);
		t.strike();
		await t.outcome();
		await t.tetherd.line(/granted by .* not kept: one is configured$/);
		const from = t.tetherd.lines.length;
		process.kill(t.pids().connector, "SIGKILL");
		const connection = await t.reconnected();
		await t.tetherd.registered(from);
		assert.equal(connection.register.client_id, "box");
		assert.ok(connection.url.includes(encodeURIComponent(TOKEN)));
		await t.works();
	});

	scenario("dial again and again: the orchestrator, and at a pace",
		async (stage) => {
			const t = await startTakeover(stage, ["connector go " +
				`${send("tetherd", "DIAL", [], { id: 1, times: 3000 })} ; ` +
				`${send("tetherd", "DIAL", [], { id: -1, times: 3000 })} ; ` +
				"hang 300"]);
			const before = t.pids();
			const held = t.orchestrator.sockets.size;
			t.strike();
			await t.outcome();
			await assertUnharmed(t, before);
			// One at a time was let to live for long enough.
			assert.ok(t.orchestrator.sockets.size <= held + 20);
		});

	scenario("each dial once the last one is done", async (stage) => {
		const dial = `${send("tetherd", "DIAL", [], { id: 7 })} ; ` +
			"hang 60";
		const t = await startTakeover(stage, [
			`connector go ${Array(10).fill(dial).join(" ; ")} ; ` +
			"read tetherd 20"]);
		const before = t.pids();
		t.strike();
		const lines = await t.outcome();
		for (const dialed of got(lines, "DIALED"))
			assert.deepEqual(dialed,
					str(`127.0.0.1:${t.orchestrator.port}`));
		assert.ok(got(lines, "DIALED").length > 0);
		assert.ok(lines.every((line) => !line.startsWith("got ") ||
			line.startsWith("got MSG_DIALED")));
		await assertUnharmed(t, before);
	});

	scenario("lies about the link and answers", async (stage) => {
		const t = await startTakeover(stage, ["connector go " + [
			send("proxyd", "ANSWER_SENT", [], { id: 1, times: 1000 }),
			send("proxyd", "ANSWER_SENT", [], { id: -1, times: 1000 }),
			send("proxyd", "LINK_UP", [u32(0), u64(0), str("other")]),
			send("proxyd", "LINK_DOWN", [], { times: 1000 }),
			send("proxyd", "LINK_UP", [u32(0), u64(1n << 60n), str("box")],
				{ times: 1000 }),
		].join(" ; ")]);
		const before = t.pids();
		t.strike();
		await t.outcome();
		await assertUnharmed(t, before);
	});

	// Whoever speaks for the orchestrator can do what that can, no more.
	scenario("requests in the name of others: the rules are asked",
		async (stage) => {
			const conf = await startConf(stage,
				"policy {\n\tusers { ada }\n}\n");
			const t = await startTakeover(stage, ["connector go " + [
				send("proxyd", "REQUEST", [request(1, [1, "ada"])],
					{ id: 1e9 }),
				"read proxyd 2",
				send("proxyd", "REQUEST", [request(2, [2, "eve"])],
					{ id: 1e9 + 1 }),
				"read proxyd 2",
			].join(" ; ")], { args: conf.args });
			const before = t.pids();
			t.strike();
			const answers = got(await t.outcome(), "ANSWER")
				.map((bytes) => bytes.toString());
			assert.equal(answers.length, 2);
			assert.match(answers[0], /"request_id":"drill-1","status":200/);
			assert.match(answers[1], /"request_id":"drill-2","status":403/);
			await assertUnharmed(t, before);
		});

	scenario("more requests than there may be", async (stage) => {
		const t = await startTakeover(stage, ["connector go " +
			Array.from({ length: 30 }, (_, i) => send("proxyd", "REQUEST",
				[request(i, [1, "ada"], { path: "/api/slow",
					query: "ms=3000" })],
				{ id: 1e9 + i, times: 20 })).join(" ; ")]);
		const before = t.pids();
		t.strike();
		await t.outcome();
		// It keeps all others out, as the orchestrator could.
		assert.equal((await t.connection.request()).status, 503);
		process.kill(before.connector, "SIGKILL");
		await t.reconnected();
		await until(() => t.works().catch(() => false), "busy for ever");
		assert.deepEqual({ ...t.pids(), connector: 0 },
			{ ...before, connector: 0 });
	});

	scenario("a request without an end", async (stage) => {
		const conf = await startConf(stage, "limits {\n\tmemory 8M\n}\n");
		const t = await startTakeover(stage, ["connector go " +
			`${send("proxyd", "REQUEST", [Buffer.alloc(60000, "x")],
				{ id: 1e9, flags: 1, times: 1000 })} ; read proxyd 1`],
		{ args: conf.args });
		const before = t.pids();
		t.strike();
		const lines = await t.outcome();
		assert.equal(lines[0], "REQUEST: 1000 of 1000");
		assert.deepEqual(got(lines, "REFUSE"), [u32(503)]);
		// It is still the one request that proxyd takes in.
		process.kill(before.connector, "SIGKILL");
		await t.lost("connector");
		await t.reconnected();
		await t.works();
		assert.deepEqual({ ...t.pids(), connector: 0 },
			{ ...before, connector: 0 });
	});

	scenario("accusations: the third one is its last", async (stage) => {
		const accuse = `${send("tetherd", "PEER_BROKEN",
			[u32(2), str("a lie\ntetherd: stopped")])} ; hang 400`;
		const t = await startTakeover(stage, [
			`connector go ${Array(6).fill(accuse).join(" ; ")}`]);
		const before = t.pids();
		t.strike();
		assert.equal(await t.lost("connector"), "signal 9 (Killed)");
		await t.reconnected();
		await t.works();
		assert.equal(t.tetherd.all("proxyd is broken, says connector; " +
			"restarting it").length, 3);
		assert.equal(t.tetherd.all("connector says so again and again; " +
			"restarting it, too").length, 1);
		assert.equal(t.pids().authd, before.authd);
	});

	scenario("a connection that it spoiled is a new one", async (stage) => {
		const t = await startTakeover(stage,
			["connector go speak \xffgarbage"]);
		t.strike();
		assert.deepEqual(await t.outcome(), ["spoken"]);
		await t.reconnected();
		await t.works();
		assert.deepEqual(t.tetherd.all("lost child"), []);
	});
});
