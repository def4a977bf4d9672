// What browsers ask an instance for over the orchestrator's own WebSocket.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startBrowser, startPeer } from "./lib/hub-peer.mjs";
import { startInstance } from "./lib/instance.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { CLIENT, startAll, startHub, startTetherd } from
	"./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const TEXT_MAX = 8 * 1024 * 1024;

const LOST = { error: true,
	message: "the instance lost the request; try again" };
const STOPPING = { error: true, message: "the instance is stopping" };
const NOBODY = { code: 4000, reason: "Unknown action" };

const ask = (connection, request_id, members = {}) => connection.send({
	type: "user_request", request_id, action: "dance", payload: {},
	...members });

// The last reply to a request, however many come before it.
const complete = (connection, id) => connection.messages.next((m) =>
	m.type === "response_complete" && m.request_id === id);

const ids = (count, prefix = "r") =>
	Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const handle = (req, res) => res.end("ok");

describe("user requests", { concurrency: 3 }, () => {
	scenario("an action that nobody knows ends at once", async (stage) => {
		const { connection, tetherd } = await startInstance(stage,
			{ handle, args: ["-d", "-v"] });

		ask(connection, "r1", { action: "dance\u001b",
			payload: { auth_token: "gho_x" } });
		const error = await connection.receive("error");
		assert.equal(error.request_id, "r1");
		assert.equal(error.message, "Unknown action: dance?");
		const last = await connection.receive("response_complete");
		assert.equal(last.request_id, "r1");
		assert.deepEqual(last.data, NOBODY);
		assert.doesNotMatch(tetherd.lines.join("\n"), /gho_/);
	});

	scenario("the last reply to what is malformed", async (stage) => {
		const { connection } = await startInstance(stage, { handle });
		const wrong = (message) => ({ error: true, message });
		const rows = [
			[{ payload: undefined }, NOBODY],
			[{ payload: null }, NOBODY],
			[{ action: "" }, NOBODY],
			[{ action: "x".repeat(100000) }, NOBODY],
			[{ action: "toString" }, NOBODY],
			[{ more: [{ a: "\u0000" }] }, NOBODY],
			[{ payload: 7 }, wrong("payload is not an object")],
			[{ payload: "{}" }, wrong("payload is not an object")],
			[{ payload: [] }, wrong("payload is not an object")],
			[{ type: "user_request_follow_up", action: undefined },
				wrong("no such session")],
		];
		await eachRow(rows.entries(), async ([i, [members, data]]) => {
			const id = `${i}"\\\u00e9`;
			ask(connection, id, members);
			assert.deepEqual((await complete(connection, id)).data, data);
		});
		const long = "x".repeat(256);
		ask(connection, long);
		await complete(connection, long);
		ask(connection, `${long}x`);
		ask(connection, "after");
		await complete(connection, "after");
		assert.equal(connection.messages.items.filter((m) =>
			m.type === "response_complete").length, 0);
	});

	scenario("before registered they are not passed on", async (stage) => {
		const orchestrator = await Orchestrator.start(stage,
			{ register: false });
		const tetherd = await startTetherd(stage, {
			env: { ORCHESTRATOR_URL: orchestrator.url, PORT: "1" },
		});
		const connection = await orchestrator.registered();

		ask(connection, "early");
		await tetherd.line("user_request before registered ignored");
		connection.send({ type: "registered", success: true });
		ask(connection, "late");
		const last = await connection.receive("response_complete");
		assert.equal(last.request_id, "late");
	});

	scenario("text of 8 MiB, and of one byte more", async (stage) => {
		const { connection } = await startInstance(stage, { handle });
		const text = (id, size) => {
			const frame = JSON.stringify({ type: "user_request",
				request_id: id, action: "dance", payload: { d: "" } });
			return frame.replace("\"d\":\"",
				`"d":"${"x".repeat(size - frame.length)}`);
		};

		connection.send(text("fits", TEXT_MAX));
		connection.send(text("large", TEXT_MAX + 1));
		connection.send(text("larger", 3 * TEXT_MAX));
		ask(connection, "after");
		assert.deepEqual((await complete(connection, "fits")).data, NOBODY);
		for (const id of ["large", "larger"])
			assert.deepEqual((await complete(connection, id)).data,
				{ error: true, message: "request too large" });
		assert.deepEqual((await complete(connection, "after")).data, NOBODY);
	});

	scenario("replies in order, among answers", async (stage) => {
		const { connection } = await startInstance(stage, {
			handle: (req, res) => res.end("x".repeat(3000000)) });
		const answers = [];

		for (const id of ids(1000)) {
			ask(connection, id);
			if (answers.length < 10)
				answers.push(connection.request());
		}
		for (const id of ids(1000)) {
			const last = await connection.receive("response_complete");
			assert.equal(last.request_id, id);
			assert.equal((await connection.receive("error")).request_id, id);
		}
		for (const answer of await Promise.all(answers))
			assert.equal(answer.bytes.length, 3000000);
	});

	scenario("proxyd is killed with 100 of them", async (stage) => {
		const { connection, tetherd } =
			await startInstance(stage, { handle });

		// Nothing that it knows stays open: it must not get to them.
		process.kill(tetherd.childPid("proxyd"), "SIGSTOP");
		for (const id of ids(100))
			ask(connection, id);
		connection.send({ type: "command", command: "refresh_status" });
		await connection.receive("status_update");
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		for (const id of ids(100))
			assert.deepEqual((await complete(connection, id)).data, LOST);
		ask(connection, "after");
		assert.deepEqual((await complete(connection, "after")).data, NOBODY);
		assert.equal((await connection.request()).status, 200);
	});

	scenario("what a lost connection asked is forgotten", async (stage) => {
		const { connection, orchestrator, tetherd } =
			await startInstance(stage, { handle,
				env: { ORCHESTRATOR_RECONNECT_INTERVAL: "100" } });

		process.kill(tetherd.childPid("proxyd"), "SIGSTOP");
		for (const id of ids(100))
			ask(connection, id);
		connection.send({ type: "command", command: "refresh_status" });
		await connection.receive("status_update");
		connection.socket.destroy();
		const next = await orchestrator.registered();
		for (const id of ids(100, "n"))
			ask(next, id);
		process.kill(tetherd.childPid("proxyd"), "SIGCONT");
		for (const id of ids(100, "n")) {
			const last = await next.receive("response_complete");
			assert.equal(last.request_id, id);
		}
		assert.ok(!next.messages.items.some((m) =>
			m.request_id?.startsWith("r")));
	});

	scenario("a shutdown ends them, and does not wait", async (stage) => {
		const { connection, tetherd } =
			await startInstance(stage, { handle });
		const proxyd = tetherd.childPid("proxyd");

		process.kill(proxyd, "SIGSTOP");
		for (const id of ids(20))
			ask(connection, id);
		connection.send({ type: "command", command: "refresh_status" });
		await connection.receive("status_update");
		const began = Date.now();
		tetherd.signal("SIGTERM");
		for (const id of ids(20))
			assert.deepEqual((await complete(connection, id)).data,
				STOPPING);
		assert.equal((await connection.closed).code, 1000);
		assert.ok(Date.now() - began < 2000);
		process.kill(proxyd, "SIGCONT");
		assert.equal((await tetherd.ended()).code, 0);
	});
});

const forward = (browser, request_id, payload = {}, client_id = CLIENT) =>
	browser.send({ type: "forward_to_client", client_id, request_id,
		action: "dance", payload });

// Of 1024 that one browser may have open, each 32nd is large.
const text = (i) => String.fromCharCode(97 + i % 26)
	.repeat(i % 32 === 0 ? 131072 : i * 4);

describe("user requests through the hub", { concurrency: 2 }, () => {
	scenario("1024 at once, in order, both ways", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, CLIENT);
		const browser = await startBrowser(stage, hub);

		for (const [i, id] of ids(1024).entries())
			forward(browser, id, { n: i, d: text(i) });
		for (const [i, id] of ids(1024).entries()) {
			const asked = await peer.next("user_request");
			assert.deepEqual([asked.request_id, asked.payload.n], [id, i]);
			assert.ok(asked.payload.d === text(i));
		}
		for (let round = 0; round < 3; round++)
			for (const [i, request_id] of ids(1024).entries())
				peer.send({ type: round < 2 ? "response_chunk"
					: "response_complete",
				request_id, data: { n: i, round, d: text(i) } });
		for (let round = 0; round < 3; round++)
			for (const [i, id] of ids(1024).entries()) {
				const got = await browser.next("forwarded_response");
				assert.deepEqual([got.request_id, got.data.n,
					got.data.round, got.complete, got.client_id],
				[id, i, round, round === 2, CLIENT]);
				assert.ok(got.data.d === text(i));
			}
	});

	scenario("an instance that goes with 1024 of them", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, CLIENT);
		const browser = await startBrowser(stage, hub);
		const open = new Set(ids(1024));

		for (const id of open)
			forward(browser, id);
		for (const id of open)
			assert.equal((await peer.next("user_request")).request_id, id);
		peer.ws.terminate();
		while (open.size > 0) {
			const got = await browser.next("forwarded_response");
			assert.ok(got.complete && got.data.error);
			assert.ok(open.delete(got.request_id), got.request_id);
		}
		forward(browser, "after");
		const got = await browser.next("forwarded_response");
		assert.ok(got.complete && got.data.error);
	});

	scenario("the longest ids, and one that is longer", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, CLIENT);
		const browser = await startBrowser(stage, hub);
		const id = "x".repeat(128);

		forward(browser, id);
		assert.equal((await peer.next("user_request")).request_id, id);
		forward(browser, `${id}x`);
		const refused = await browser.next("forwarded_response");
		assert.deepEqual([refused.request_id, refused.complete],
			[`${id}x`, true]);
		peer.send({ type: "response_complete", request_id: id, data: 1 });
		assert.equal((await browser.next("forwarded_response")).data, 1);
	});

	scenario("all the way, 20000 of them", async (stage) => {
		const { hub } = await startAll(stage);
		const browser = await startBrowser(stage, hub);
		const waves = Array.from({ length: 40 }, (_, i) =>
			ids(500, `w${i}-`));

		for (const wave of waves) {
			for (const [i, id] of wave.entries())
				forward(browser, id, { d: text(i) });
			for (const id of wave)
				for (const last of [false, true]) {
					const got = await browser.next("forwarded_response");
					assert.deepEqual([got.request_id, got.complete],
						[id, last]);
				}
		}
	});
});
