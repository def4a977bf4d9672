// How a connection is made, and answers to the upgrade that are not what they
// should be.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { Orchestrator } from "./lib/orchestrator.mjs";
import { CLIENT, startTetherd, TOKEN } from "./lib/programs.mjs";
import { frame, OPCODES, RawOrchestrator, text }
	from "./lib/raw-orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

const CONNECT_MS = 30000;

async function start(stage, options = {}, env = {}) {
	const orchestrator = await RawOrchestrator.start(stage, options);
	const tetherd = await startTetherd(stage, { env: {
		ORCHESTRATOR_URL: orchestrator.url, PORT: "1", ...env } });
	return { orchestrator, tetherd };
}

const status = (line) => ({ answer }) => answer.write(
	`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nno`);
const fields = (changed) => ({ answer, connection }) =>
	answer.write(connection.answer(changed));
const bytes = (what) => ({ answer }) => answer.end(what);
const mixed = (text) => text.replace(/[a-z]/gi, (c) =>
	c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase());

describe("connecting", { concurrency: 8 }, () => {
	// Who answers, how, and what the log says of it.
	const wrong = [
		...["100 Continue", "200 OK", "204 No Content",
			"301 Moved Permanently\r\nLocation: ws://127.0.0.1:9/",
			"302 Found\r\nLocation: /ws", "400 Bad Request", "402 No",
			"403 Forbidden", "404 Not Found", "407 Who",
			"426 Upgrade Required", "429 Too Many Requests", "500 Oops",
			"502 Bad Gateway", "503 Busy\r\nRetry-After: 100",
			"599 What", "999 What"]
			.map((line) => [line, status(line),
				new RegExp(`upgrade refused: HTTP ${
					line.slice(0, 3)};`)]),
		["HTTP/1.0", bytes("HTTP/1.0 101 OK\r\n\r\n"), /not an HTTP\/1\.1/],
		["HTTP/2", bytes("HTTP/2 101 OK\r\n\r\n"), /not an HTTP\/1\.1/],
		["another protocol", bytes("SSH-2.0-x\r\n\r\n"),
			/not an HTTP\/1\.1/],
		["status of letters", bytes("HTTP/1.1 1O1 OK\r\n\r\n"),
			/not an HTTP\/1\.1/],
		["status of 4 digits", bytes("HTTP/1.1 1011 OK\r\n\r\n"),
			/not an HTTP\/1\.1/],
		["status of 2 digits", bytes("HTTP/1.1 10\r\n\r\n"),
			/not an HTTP\/1\.1/],
		["an empty line", bytes("\r\n\r\n"), /not an HTTP\/1\.1/],
		["no accept", fields({ "Sec-WebSocket-Accept": undefined }),
			/not the answer of a WebSocket server/],
		["another's accept", fields({ "Sec-WebSocket-Accept":
			"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }), /not the answer of/],
		["the key as accept", ({ answer, connection }) =>
			answer.write(connection.answer({ "Sec-WebSocket-Accept":
				connection.key })), /not the answer of/],
		["accept in another case", ({ answer, connection }) =>
			answer.write(connection.answer({ "Sec-WebSocket-Accept":
				mixed(connection.accept) })), /not the answer of/],
		["no upgrade", fields({ Upgrade: undefined }),
			/not the answer of/],
		["another upgrade", fields({ Upgrade: "h2c" }),
			/not the answer of/],
		["no connection", fields({ Connection: undefined }),
			/not the answer of/],
		["another connection", fields({ Connection: "keep-alive" }),
			/not the answer of/],
		["part of a word", fields({ Connection: "upgraded" }),
			/not the answer of/],
		["an extension", fields({ "Sec-WebSocket-Extensions":
			"permessage-deflate" }), /extension that was not asked for/],
		["a subprotocol", fields({ "Sec-WebSocket-Protocol": "chat" }),
			/subprotocol that was not asked for/],
		["no header", bytes("HTTP/1.1 101 OK\r\nnonsense\r\n\r\n"),
			/malformed header/],
		["NUL", bytes("HTTP/1.1 101 O\0K\r\n\r\n"), /NUL in the answer/],
		["a head of 1 MB", bytes(`HTTP/1.1 101 OK\r\n${
			"X: y\r\n".repeat(175000)}`), /too many headers/],
		["a line of 1 MB", bytes(`HTTP/1.1 101 ${"x".repeat(1 << 20)}`),
			/too many headers/],
		["the end", bytes(""), /connection closed/],
		["half a head", bytes("HTTP/1.1 101 Switching"),
			/connection closed/],
		["a reset", ({ answer }) => answer.resetAndDestroy(), /reset/],
	];
	scenario("1 wrong answers to the upgrade", async (stage) => {
		let serve = fields({});
		const { orchestrator, tetherd } = await start(stage, {
			serve: (connection) => serve({ connection,
				answer: connection.socket }),
		}, { ORCHESTRATOR_RECONNECT_INTERVAL: "60000" });
		await tetherd.registered();
		await eachRow(wrong, async ([, answer, why]) => {
			const from = tetherd.lines.length;
			serve = answer;
			tetherd.signal("SIGUSR2");
			const line = await tetherd.line("next attempt", { from });
			assert.match(line, why);
			assert.match(line, /disconnected: [ -~]+; next attempt/);
		});
		assert.equal(orchestrator.attempts, wrong.length + 1);
		const from = tetherd.lines.length;
		serve = fields({});
		tetherd.signal("SIGUSR2");
		await tetherd.registered(from);
		assert.deepEqual(tetherd.all("lost child"), []);
		assert.deepEqual(tetherd.all(TOKEN), []);
	});

	scenario("1 good answers to the upgrade, in other words", async (stage) => {
		let serve = (connection) => connection.write(connection.answer());
		const { orchestrator, tetherd } = await start(stage, {
			serve: (connection) => serve(connection),
		});
		await orchestrator.registered();
		await tetherd.registered();
		await eachRow([
			["other cases", (c) => c.write(c.answer({ Upgrade: undefined,
				Connection: undefined, "UPGRADE": "WebSocket",
				"connection": "UPGRADE" }))],
			["a list", (c) => c.write(c.answer({
				Connection: "keep-alive,  Upgrade " }))],
			["spaces", (c) => c.write(c.answer({ Upgrade: "  websocket\t",
				"X-Empty": "" }))],
			["no reason", (c) => c.write(c.answer({}, "HTTP/1.1 101"))],
			["many headers", (c) => c.write(c.answer({
				"Server": "x".repeat(2000), "Set-Cookie": "a=b; secure",
				"Date": "today" }))],
			["bytes", (c) => [...c.answer()].forEach((byte) =>
				c.write(byte))],
			["a frame in the same segment", (c) => c.write(Buffer.concat([
				Buffer.from(c.answer()), frame(OPCODES.ping, "early"),
				text({ type: "error", message: "not yet" })]))],
		], async ([name, answer]) => {
			const from = tetherd.lines.length;
			serve = answer;
			tetherd.signal("SIGUSR2");
			const connection = await orchestrator.registered();
			await tetherd.registered(from);
			if (name.includes("same segment"))
				assert.equal((await connection.control(OPCODES.pong))
					.payload.toString(), "early");
			assert.equal((await connection.request()).status, 502);
		});
	});

	scenario("1 the upgrade's head", async (stage) => {
		const { orchestrator } = await start(stage);
		const { head } = await orchestrator.registered();
		const [line, ...rest] = head.split("\r\n");
		const headers = Object.fromEntries(rest.map((field) =>
			/^([A-Za-z-]+): (.*)$/.exec(field).slice(1)));

		assert.equal(line, `GET /ws/connect?token=${TOKEN}` +
			`&client_id=${CLIENT} HTTP/1.1`);
		assert.match(headers["Sec-WebSocket-Key"], /^[\w+/]{22}==$/);
		assert.match(headers["User-Agent"], /^tetherd\/\d/);
		assert.deepEqual(Object.keys(headers).sort(), ["Connection",
			"Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
			"Upgrade", "User-Agent"]);
	});

	scenario("1 a key is used once", async (stage) => {
		const { orchestrator } = await start(stage);
		const first = await orchestrator.registered();
		first.socket.destroy();
		assert.notEqual((await orchestrator.registered()).key, first.key);
	});

	scenario("1 HTTP 401 is not transient: once a minute", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ serve: (c) => status("401 Unauthorized")(
				{ answer: c.socket }) });
		const line = await tetherd.line("HTTP 401");
		assert.match(line, /the token is not valid/);
		assert.match(line,
			/next attempt in 60000 ms, and then once a minute/);
		// Anything else would have come by now.
		await new Promise((resolve) => setTimeout(resolve, 1500));
		assert.equal(orchestrator.attempts, 1);
	});

	// Each of these is silent in another way: 30 s, from the first SYN on.
	const silent = {
		"takes a connection and nothing else": {
			accept: (socket) => socket.pause() },
		"reads the upgrade and does not answer": { serve: () => {} },
		"sends half of an answer": { serve: ({ socket }) =>
			socket.write("HTTP/1.1 101 Switching Protocols\r\nUp") },
		"answers a byte at a time": { serve: (connection) => {
			const rest = [...connection.answer({ "X": "x".repeat(500) })];
			const drip = setInterval(() => connection.socket.write(
				rest.shift()), 250);
			connection.socket.on("close", () => clearInterval(drip));
		} },
		"never says registered": { register: false },
	};
	for (const [name, options] of Object.entries(silent))
		scenario(`1 the connect timeout: one that ${name}`,
			async (stage) => {
				const { orchestrator, tetherd } =
					await start(stage, options);
				await until(() => orchestrator.attempts > 0, "no attempt");
				const at = Date.now();
				const line = await tetherd.line("next attempt",
					{ timeout: CONNECT_MS + 10000 });
				const took = Date.now() - at;
				assert.ok(took > CONNECT_MS - 2000 &&
					took < CONNECT_MS + 5000, `${took} ms`);
				assert.match(line, /disconnected: timeout;/);
				await until(() => orchestrator.attempts > 1,
					"no second attempt");
			});

	scenario("1 the client id survives a restart", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const env = { ORCHESTRATOR_URL: orchestrator.url, PORT: "1",
			ORCHESTRATOR_CLIENT_ID: undefined };
		const ids = [];
		for (let i = 0; i < 2; i++) {
			const tetherd = await startTetherd(stage, { env });
			const { url } = await orchestrator.registered();
			ids.push(new URL(url, "ws://h").searchParams
				.get("client_id"));
			await tetherd.stop();
		}
		assert.equal(ids[0], ids[1]);
	});
});
