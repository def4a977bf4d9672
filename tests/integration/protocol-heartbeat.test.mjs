// Peers that are gone, or seem to be.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startTetherd } from "./lib/programs.mjs";
import { frame, OPCODES, RawOrchestrator, text }
	from "./lib/raw-orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";

const INTERVAL_MS = 500;
const PONG_MS = 10000;

// CI machines are slow.
const SLACK_MS = 4000;

async function start(stage, options = {}, interval = INTERVAL_MS) {
	const orchestrator = await RawOrchestrator.start(stage, options);
	const tetherd = await startTetherd(stage, { env: {
		ORCHESTRATOR_URL: orchestrator.url,
		ORCHESTRATOR_HEARTBEAT_INTERVAL: String(interval),
		PORT: "1",
	} });
	const connection = await orchestrator.registered();
	await tetherd.registered();
	return { orchestrator, tetherd, connection };
}

describe("heartbeat", { concurrency: 12 }, () => {
	// What each does once it has seen a ping, which it leaves unanswered.
	const gone = {
		"stops reading": ({ socket }) => socket.pause(),
		"sends nothing any more": () => {},
		"sends half of a frame's header": (c) => c.write(
			text("x".repeat(200)).subarray(0, 2)),
		"sends half of a frame": (c) => c.write(
			text("x".repeat(100000)).subarray(0, 50000)),
		"sends a frame without end, byte for byte": (c) => {
			c.write(frame(OPCODES.text, "", { length: 1 << 20 }));
			repeat(c, Buffer.from("x"));
		},
		"sends fragments without end": (c) => {
			c.write(frame(OPCODES.text, "", { fin: false }));
			repeat(c, frame(OPCODES.more, "x", { fin: false }));
		},
		"sends pings and pongs of the WebSocket layer": (c) => repeat(c,
			Buffer.concat([frame(OPCODES.ping), frame(OPCODES.pong)])),
		"sends everything but a pong": (c) => repeat(c,
			text({ type: "something", client_id: "box" })),
	};
	for (const [name, misbehave] of Object.entries(gone))
		scenario(`3 heartbeat: an orchestrator that ${name} is dropped`,
			async (stage) => {
				const options = { pong: false };
				const { orchestrator, tetherd, connection } =
					await start(stage, options);
				await connection.receive("ping");
				const at = Date.now();
				misbehave(connection);
				assert.match(await tetherd.line("disconnected: "),
					/no pong; next attempt in \d+ ms$/);
				const took = Date.now() - at;
				assert.ok(took > PONG_MS - 1000 &&
					took < INTERVAL_MS + PONG_MS + SLACK_MS,
				`${took} ms`);
				options.pong = true;
				const next = await orchestrator.registered();
				assert.equal((await next.request()).status, 502);
				// The peer is gone: nobody is told farewell.
				connection.socket.resume();
				await connection.end();
				assert.ok(!connection.frames.items.some(
					({ opcode }) => opcode === OPCODES.close));
			});

	scenario("3 heartbeat: a late pong is in time, and ends the wait",
		async (stage) => {
			const { orchestrator, tetherd, connection } =
				await start(stage, { pong: false });
			await connection.receive("ping");
			await wait(PONG_MS - 3000);
			connection.send({ type: "pong" });
			await wait(5000);
			assert.deepEqual(tetherd.all("disconnected"), []);
			connection.send({ type: "pong", client_id: "another" });
			assert.equal((await connection.request()).status, 502);
			assert.equal(orchestrator.attempts, 1);
		});

	scenario("3 heartbeat: a pong behind a long message is in time",
		async (stage) => {
			const { orchestrator, tetherd, connection } =
				await start(stage, { pong: false });
			const piece = Buffer.alloc(128 * 1024, " ");
			await connection.receive("ping");
			connection.write(frame(OPCODES.text, "",
				{ length: 140 * piece.length }));
			for (let i = 0; i < 140; i++) {
				connection.write(piece);
				await wait(100);
			}
			connection.send({ type: "pong" });
			assert.equal((await connection.request()).status, 502);
			assert.deepEqual(tetherd.all("disconnected"), []);
			// Nothing comes any more: that is another matter.
			await tetherd.line(/disconnected: no pong/);
			assert.equal(orchestrator.attempts, 1);
		});

	scenario("3 heartbeat: pongs that nobody asked for", async (stage) => {
		const { tetherd, connection } = await start(stage, {}, 60000);
		for (let i = 0; i < 1000; i++)
			connection.send({ type: "pong" });
		assert.equal((await connection.request()).status, 502);
		assert.deepEqual(tetherd.all("disconnected"), []);
	});

	scenario("3 heartbeat: once the machine has slept, a ping at once",
		async (stage) => {
			const { orchestrator, tetherd, connection } =
				await start(stage, {}, 600000);
			const pid = tetherd.childPid("connector");
			process.kill(pid, "SIGSTOP");
			await wait(21000);
			assert.equal(connection.messages.length, 0);
			process.kill(pid, "SIGCONT");
			await connection.receive("ping", 3000);
			await tetherd.line(/slept for 2\d s; checking/);
			assert.equal((await connection.request()).status, 502);
			// It answered: that was all.
			await wait(PONG_MS + 1000);
			assert.deepEqual(tetherd.all("disconnected"), []);
			assert.equal(tetherd.all("slept for").length, 1);
			assert.equal(orchestrator.attempts, 1);
		});

	scenario("3 heartbeat: slept, and nobody answers any more",
		async (stage) => {
			const options = { pong: false };
			const { orchestrator, tetherd, connection } =
				await start(stage, options, 600000);
			const pid = tetherd.childPid("connector");
			process.kill(pid, "SIGSTOP");
			await wait(21000);
			process.kill(pid, "SIGCONT");
			await connection.receive("ping", 3000);
			await tetherd.line(/disconnected: no pong; next attempt/);
			await orchestrator.registered();
		});
});

function repeat({ socket }, bytes) {
	const timer = setInterval(() => socket.write(bytes), 200);
	socket.on("close", () => clearInterval(timer));
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
