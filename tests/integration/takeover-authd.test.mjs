// Somebody took over authd, which holds the secrets.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startGithub } from "./lib/github.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { assertUnharmed, AUDIT_REQUEST, AUDIT_SIGN_IN, audit, batches,
	eachIsTheEnd, got, MALFORMED, NOT_HERE, send, session, startTakeover, str,
	TO_PARENT, u32, u64 } from "./lib/takeover.mjs";

const lie = (members) => send("proxyd", "SESSION", session(members),
	{ id: -1 });

const WRONG = [
	...TO_PARENT,
	["dial the orchestrator", send("tetherd", "DIAL"), NOT_HERE],
	["a request that proxyd did not see", send("tetherd", "AUDIT",
		audit(AUDIT_REQUEST)), MALFORMED],
	["half a record", send("tetherd", "AUDIT",
		audit(AUDIT_SIGN_IN).slice(0, -1)), MALFORMED],
	["a user that nobody asked about", send("tetherd", "ADMIN_USER",
		[Buffer.alloc(39)], { id: 1 }), MALFORMED],
	["a token that nobody asked about", send("tetherd", "ADMIN_TOKEN",
		[str("h:1"), str("box"), u64(0), Buffer.alloc(1)], { id: 1 }),
	MALFORMED],
	["an answer that nobody asked for", send("tetherd", "ADMIN_DONE",
		[u32(1), str("well")], { id: 1 }), MALFORMED],

	["a token with lines", send("connector", "TOKEN",
		[str("a\r\nHost: evil\r\n"), str("box")], { id: -1 }), MALFORMED],
	["a token with a quote's end", send("connector", "TOKEN",
		[str("a\x01"), str("box")], { id: -1 }), MALFORMED],
	["a client id for a path", send("connector", "TOKEN",
		[str("ao_1_x"), str("../x")], { id: -1 }), MALFORMED],
	["a client id for pages", send("connector", "TOKEN",
		[str("ao_1_x"), str("\"><script>")], { id: -1 }), MALFORMED],
	["a session for connector", send("connector", "SESSION", session()),
		NOT_HERE],
	["a socket for connector", send("connector", "DIALED",
		[str("127.0.0.1:1")], { fds: 1 }), NOT_HERE],
	["an answer to the orchestrator", send("connector", "ANSWER",
		[Buffer.from("{}")]), NOT_HERE],
	["garbage for connector", "raw connector 65536 1 0",
		"unknown message type"],
	["descriptors for connector", "raw connector 16 5000 253",
		"malformed datagram"],

	["a header in a JWT", lie({ jwt: "a.b.c\r\nX-Evil: y" }), MALFORMED],
	["a query in a JWT", lie({ jwt: "a.b.c&admin=1#" }), MALFORMED],
	["a JWT that does not fit", lie({ jwt: "x".repeat(4096) }), MALFORMED],
	["no status", lie({ status: 9 }), MALFORMED],
	["no role", lie({ role: 9 }), MALFORMED],
	["half a session", send("proxyd", "SESSION",
		session().slice(0, -1)), MALFORMED],
	["no handle", send("proxyd", "HANDLE", [str("<script>")], { id: -1 }),
		MALFORMED],
	["half an owner", send("proxyd", "HANDLE_OWNER", [u64(1), u32(99)]),
		MALFORMED],
	["a request", send("proxyd", "REQUEST", [Buffer.from("{}")], { id: 1 }),
		NOT_HERE],
	["a token for proxyd", send("proxyd", "TOKEN",
		[str("ao_1_x"), str("box")]), NOT_HERE],
	["garbage for proxyd", "raw proxyd 65536 1 0", "unknown message type"],
	["descriptors for proxyd", "raw proxyd 16 5000 253",
		"malformed datagram"],
];

describe("authd says what it may not", { concurrency: 3 }, () => {
	for (const rows of batches(WRONG))
		scenario(rows.map(([what]) => what).join(", "), (stage) =>
			eachIsTheEnd(stage, "authd", rows));
});

describe("authd says what it may", { concurrency: 3 }, () => {
	scenario("answers that nobody asked for", async (stage) => {
		const t = await startTakeover(stage, ["authd go " + [
			send("connector", "TOKEN", [str("ao_9_evil"), str("evil")],
				{ id: 1e9, times: 1000 }),
			send("connector", "TOKEN", [str(""), str("")],
				{ id: -1, times: 1000 }),
			send("proxyd", "SESSION", session({ id: 2, login: "eve" }),
				{ id: 1e9, times: 1000 }),
			send("proxyd", "SESSION_FLUSH", [], { times: 10000 }),
			send("proxyd", "HANDLE", [str("")], { id: 1e9, times: 1000 }),
			send("proxyd", "HANDLE_OWNER", [u64(2), str("eve")],
				{ id: 1e9, times: 1000 }),
		].join(" ; ")]);
		const before = t.pids();
		t.strike();
		await t.outcome();
		await assertUnharmed(t, before);
		assert.equal(t.connection.register.client_id, "box");
	});

	scenario("somebody else's session: whoever asked gets their own",
		async (stage) => {
			// Whatever the number of the question is.
			const lies = Array.from({ length: 20 }, (_, i) =>
				send("proxyd", "SESSION", session({ id: 2, login: "eve" }),
					{ id: i + 1 }));
			const t = await startTakeover(stage,
				[`authd go hang 300 ; ${lies.join(" ; ")} ; hang 9000`]);
			const before = t.pids();
			t.strike();
			await t.tetherd.line(/status: authd: running/);
			const answer = await t.connection.request({
				path: "/api/whoami", headers: identity(1, "ada") });
			assert.equal(answer.status, 200);
			assert.equal(answer.json.username, "ada");
			assert.equal(await t.lost("authd"), "signal 9 (Killed)");
			assert.deepEqual({ ...t.pids(), authd: 0 },
				{ ...before, authd: 0 });
		});

	scenario("GitHub again and again: nothing else, and at a pace",
		async (stage) => {
			const github = await startGithub(stage);
			const dial = `${send("tetherd", "DIAL_GITHUB", [], { id: 7 })} ; ` +
				"hang 60";
			const t = await startTakeover(stage, ["authd go " +
				`${send("tetherd", "DIAL_GITHUB", [],
					{ id: 1, times: 3000 })} ; hang 100 ; ` +
				`${Array(5).fill(dial).join(" ; ")} ; read tetherd 20`],
			{ env: github.env });
			const before = t.pids();
			t.strike();
			const lines = await t.outcome();
			const dialed = got(lines, "GITHUB_DIALED");
			assert.ok(dialed.length > 0 && dialed.length <= 20);
			for (const to of dialed)
				assert.deepEqual(to, str(`127.0.0.1:${github.port}`));
			assert.ok(lines.every((line) => !line.startsWith("got ") ||
				line.startsWith("got MSG_GITHUB_DIALED")));
			assert.ok(github.connections <= 20);
			await assertUnharmed(t, before);
		});

	scenario("nothing at all: who needs it waits, who does not goes on",
		async (stage) => {
			const t = await startTakeover(stage, ["authd go hang 1500"]);
			const before = t.pids();
			t.strike();
			await t.tetherd.line(/status: authd: running/);
			const waits = t.connection.request({
				path: "/api/whoami", headers: identity(1, "ada") });
			assert.equal((await t.connection.request()).status, 200);
			assert.equal((await tetherctl(t.tetherd,
				"show", "processes")).code, 0);
			assert.deepEqual(t.tetherd.all("drill: done"), []);
			assert.equal((await waits).status, 200);
			await t.outcome();
			await assertUnharmed(t, before);
		});

	scenario("accusations: the third one is its last", async (stage) => {
		const accuse = (whom) => `${send("tetherd", "PEER_BROKEN",
			[u32(whom), str("a lie")])} ; hang 400`;
		const t = await startTakeover(stage, ["authd go " +
			`${[1, 2, 1, 2, 1].map(accuse).join(" ; ")}`]);
		t.strike();
		assert.equal(await t.lost("authd"), "signal 9 (Killed)");
		await t.reconnected();
		await t.works();
		assert.equal(t.tetherd.all("is broken, says authd").length, 3);
	});
});
