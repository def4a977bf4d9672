// Somebody took over proxyd, which speaks with the web app.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { scenario } from "./lib/scenario.mjs";
import { assertUnharmed, AUDIT_REQUEST, AUDIT_SIGN_IN, audit, batches,
	eachIsTheEnd, got, log, MALFORMED, NOT_HERE, send, startTakeover, str,
	TO_PARENT, u32, u64 } from "./lib/takeover.mjs";

const HANDLE = `tether_${"A".repeat(43)}`;
const DENIED = 1;

const MORE = { flags: 1 };
const half = [Buffer.from("{\"type\":")];

const WRONG = [
	...TO_PARENT,
	["dial", send("tetherd", "DIAL"), NOT_HERE],
	["dial GitHub", send("tetherd", "DIAL_GITHUB"), NOT_HERE],
	["an answer to the operator", send("tetherd", "ADMIN_DONE",
		[u32(1), str("x")]), NOT_HERE],
	["a sign-in that authd did not see", send("tetherd", "AUDIT",
		audit(AUDIT_SIGN_IN)), MALFORMED],
	["audit of no event", send("tetherd", "AUDIT", audit(77)), MALFORMED],
	["audit with a descriptor", send("tetherd", "AUDIT",
		audit(AUDIT_REQUEST), { fds: 1 }),
	"descriptor missing or not allowed"],

	["the orchestrator's token", send("authd", "TOKEN_GET", [u64(0)]),
		NOT_HERE],
	["a token to keep", send("authd", "TOKEN_GRANTED",
		[u64(0), str("ao_1_x"), str("box")]), NOT_HERE],
	["the operator's wish", send("authd", "ADMIN",
		[u32(3), str("ada"), str("full")]), NOT_HERE],
	["no handle", send("authd", "HANDLE_CHECK", [str("' OR 1=1 --")]),
		MALFORMED],
	["half a question", send("authd", "SESSION_GET", [u64(1), u32(200)]),
		MALFORMED],
	["a token with lines", send("authd", "SESSION_GET_BY_TOKEN",
		[str("gho_x\r\nHost: y")]), MALFORMED],
	["no service", send("authd", "SESSION_GET_SERVICE", [u32(99)]),
		MALFORMED],
	["a channel", send("authd", "PEER", [u32(1)], { fds: 1 }), NOT_HERE],
	["garbage for authd", "raw authd 65536 1 0", "unknown message type"],
	["descriptors for authd", "raw authd 16 5000 253", "malformed datagram"],

	["a token for connector", send("connector", "TOKEN",
		[str("ao_1_x"), str("box")]), NOT_HERE],
	["a socket for connector", send("connector", "DIALED",
		[str("127.0.0.1:1")], { fds: 1 }), NOT_HERE],
	["a refusal of no kind", send("connector", "REFUSE", [u32(200)]),
		MALFORMED],
	["another one", send("connector", "USER_REFUSE", [u32(200)]), MALFORMED],
	["activity of no kind", send("connector", "ACTIVITY", [u32(99)]),
		MALFORMED],
	["half a number", send("connector", "ADOPT", [u32(200)]), MALFORMED],
	["two answers in one", [
		send("connector", "ADOPT", [str("drill")], { id: 1e9 }),
		send("connector", "ANSWER", half, { id: 1e9, ...MORE }),
		send("connector", "ANSWER", half, { id: 1e9 + 1 }),
	].join(" ; "), MALFORMED],
	["an error inside of an answer", [
		send("connector", "ADOPT", [str("drill")], { id: 1e9 }),
		send("connector", "ANSWER", half, { id: 1e9, ...MORE }),
		send("connector", "REFUSE", [u32(503)], { id: 1e9 }),
	].join(" ; "), MALFORMED],
	["garbage for connector", "raw connector 65536 1 0",
		"unknown message type"],
	["descriptors for connector", "raw connector 16 5000 253",
		"malformed datagram"],
];

describe("proxyd says what it may not", { concurrency: 3 }, () => {
	for (const rows of batches(WRONG))
		scenario(rows.map(([what]) => what).join(", "), (stage) =>
			eachIsTheEnd(stage, "proxyd", rows,
				{ orchestrator: { cutMessages: true } }));
});

const POLICY = "policy {\n\tusers { ada }\n}\n";

describe("proxyd says what it may", { concurrency: 3 }, () => {
	scenario("a session for whom the rules refuse", async (stage) => {
		const conf = await startConf(stage, POLICY);
		const t = await startTakeover(stage, ["proxyd go " + [
			send("authd", "SESSION_GET", [u64(2), str("eve")], { id: -1 }),
			send("authd", "SESSION_GET", [u64(3), str("ada ")], { id: -1 }),
			send("authd", "SESSION_GET", [u64(0), str("")], { id: -1 }),
			send("authd", "SESSION_GET",
				[u64(4), str("' OR login='ada")], { id: -1 }),
			"read authd 4",
		].join(" ; ")], { args: conf.args });
		const before = t.pids();
		t.strike();
		const sessions = got(await t.outcome(), "SESSION");
		assert.equal(sessions.length, 4);
		for (const bytes of sessions) {
			assert.equal(bytes[0], DENIED);
			const login = bytes.readUInt32LE(14);
			assert.equal(bytes.readUInt32LE(18 + login), 0); // no JWT
			assert.doesNotMatch(bytes.toString("latin1"), /eyJ|gh[a-z]_|ao_/);
		}
		await assertUnharmed(t, before);
	});

	scenario("handles that it guesses", async (stage) => {
		const t = await startTakeover(stage, ["proxyd go " +
			`${send("authd", "HANDLE_CHECK", [str(HANDLE)],
				{ id: -1, times: 5000 })} ; read authd 20 ; ` +
			send("authd", "HANDLE_CHECK", [str(HANDLE)],
				{ id: -1, times: 20000 })]);
		const before = t.pids();
		const from = t.tetherd.lines.length;
		t.strike();
		await t.tetherd.line(/drill: read:/);
		// authd has time for others all the while.
		t.tetherd.signal("SIGUSR2");
		await t.reconnected();
		await t.tetherd.registered(from);
		const owners = got(await t.outcome(), "HANDLE_OWNER");
		assert.equal(owners.length, 20);
		for (const owner of owners)
			assert.deepEqual(owner, Buffer.concat([u64(0), str("")]));
		await assertUnharmed(t, before);
	});

	scenario("handles for people whom nobody knows", async (stage) => {
		const t = await startTakeover(stage, ["proxyd go " +
			`${send("authd", "HANDLE_NEW", [u64(77), str("nobody")],
				{ id: -1 })} ; read authd 1`]);
		const before = t.pids();
		t.strike();
		assert.deepEqual(got(await t.outcome(), "HANDLE"), [str("")]);
		await assertUnharmed(t, before);
	});

	scenario("answers that nobody waits for", async (stage) => {
		const answer = [Buffer.from("{\"type\":\"http_proxy_response\"," +
			"\"request_id\":\"x\"}")];
		const t = await startTakeover(stage, ["proxyd go " + [
			send("connector", "ANSWER", answer, { id: 1e9, times: 1000 }),
			send("connector", "ANSWER", answer, { id: 0, times: 1000 }),
			send("connector", "REPLY", answer, { id: 1e9, times: 1000 }),
			send("connector", "REPLY_LAST", answer, { id: -1 }),
			send("connector", "REFUSE", [u32(503)], { id: 1e9 }),
			send("connector", "USER_REFUSE", [u32(503)], { id: 1e9 }),
		].join(" ; ")]);
		const before = t.pids();
		t.strike();
		await t.outcome();
		await assertUnharmed(t, before);
		assert.deepEqual(t.connection.surplus, []);
	});

	scenario("more that a dead connector is said to have left",
		async (stage) => {
			const t = await startTakeover(stage, ["proxyd go " +
				Array.from({ length: 100 }, (_, i) =>
					send("connector", "ADOPT", [str(`drill-${i}`)],
						{ id: 1e9 + i, times: 2 })).join(" ; ")]);
			const before = t.pids();
			t.strike();
			await t.outcome();
			await assertUnharmed(t, before);
		});

	scenario("an answer that never ends", async (stage) => {
		const conf = await startConf(stage,
			"limits {\n\trequest time 500ms\n}\n");
		const t = await startTakeover(stage, ["proxyd go " + [
			send("connector", "ADOPT", [str("drill")], { id: 1e9 }),
			send("connector", "ANSWER", half, { id: 1e9, ...MORE }),
			"hang 3000",
		].join(" ; ")], { args: conf.args,
			orchestrator: { cutMessages: true } });
		const before = t.pids();
		t.strike();
		await t.tetherd.line(/drill: ANSWER: 1 of 1/);
		assert.equal((await t.connection.request()).status, 504);
		await t.outcome();
		await assertUnharmed(t, before);
	});

	scenario("accusations: the third one is its last", async (stage) => {
		const accuse = `${send("tetherd", "PEER_BROKEN",
			[u32(3), str("a lie")])} ; hang 400`;
		const t = await startTakeover(stage, [
			`proxyd go ${Array(6).fill(accuse).join(" ; ")}`]);
		const before = t.pids();
		t.strike();
		assert.equal(await t.lost("proxyd"), "signal 9 (Killed)");
		await t.works();
		assert.equal(t.tetherd.all("authd is broken, says proxyd").length, 3);
		assert.equal(t.pids().connector, before.connector);
	});
});

describe("what it writes", { concurrency: 2 }, () => {
	scenario("lines of the log", async (stage) => {
		const t = await startTakeover(stage, ["proxyd go " + [
			log(2, "x\ntetherd: startup complete\r\n\x1b[2J\x9b1m\0y"),
			log(0, "tetherd[1]: of level crit"),
			log(200, "of no level"),
			log(2, "z".repeat(1500)),
			log(2, "with descriptors", { times: 200, fds: 100 }),
		].join(" ; ")]);
		const before = t.pids();
		t.strike();
		await t.outcome();
		const lines = t.tetherd.all(`proxyd[${before.proxyd}]: `);
		// Up to the first NUL.
		assert.ok(lines.includes(`tetherd: proxyd[${before.proxyd}]: x` +
			"?tetherd: startup complete???[2J??1m"), lines.join("\n"));
		for (const text of ["tetherd[1]: of level crit", "?of no level",
			"z".repeat(1023)])
			assert.ok(lines.includes(
				`tetherd: proxyd[${before.proxyd}]: ${text}`), text);
		assert.equal(t.tetherd.all("startup complete").length, 2);
		await assertUnharmed(t, before);
	});

	scenario("too many of them", async (stage) => {
		const t = await startTakeover(stage, ["proxyd go " +
			`${log(2, "flood", { times: 200000 })} ; hang 1000 ; ` +
			log(2, "after")]);
		const before = t.pids();
		t.strike();
		await t.tetherd.line(/proxyd\[\d+\]: \d+ log lines dropped/);
		await t.tetherd.line(/proxyd\[\d+\]: after/);
		assert.ok(t.tetherd.all("]: flood").length < 20 * 500);
		await assertUnharmed(t, before);
	});

	scenario("too much of the audit log", async (stage) => {
		const t = await startTakeover(stage, ["proxyd go " +
			send("tetherd", "AUDIT", audit(AUDIT_REQUEST,
				{ login: "a\nb \"c", path: "/x y\x1b", why: "\"\n\\" }),
			{ times: 20000 })]);
		const before = t.pids();
		t.strike();
		await t.tetherd.line(
			/proxyd: \d+ audit records dropped: more than 5000 in a second/);
		await t.outcome();
		const lines = t.tetherd.all("tetherd: audit: request ");
		assert.ok(lines.length >= 5000);
		assert.ok(lines.every((line) => line === "tetherd: audit: request " +
			"allowed id=1 login=a?b?\"c role=full GET /x?y? 200 " +
			"why=\"\\\"?\\\\\""), lines[0]);
		// Those of others have their own room.
		await assertUnharmed(t, before);
		assert.equal(t.tetherd.all("audit: sign-in allowed id=101").length, 1);
	});
});
