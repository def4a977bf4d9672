// Frames that are wrong, and frames that are only odd.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { closeFrame, frame, OPCODES, RawOrchestrator, shred, text }
	from "./lib/raw-orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const { more, text: TEXT, binary, close, ping, pong } = OPCODES;
const open = { fin: false };

async function start(stage, conf, options) {
	const orchestrator = await RawOrchestrator.start(stage, options);
	const { args } = conf ? await startConf(stage, conf) : {};
	const tetherd = await startTetherd(stage, { args, env: {
		ORCHESTRATOR_URL: orchestrator.url, PORT: "1" } });
	return { orchestrator, tetherd };
}

const SMALL = "limits {\n\tmessage 64K\n}\n";

// Each row on a connection of its own: [name, bytes, code, what the log says].
function broken(name, rows, conf) {
	scenario(name, async (stage) => {
		const { orchestrator, tetherd } = await start(stage, conf);
		await eachRow(rows, async ([, bytes, code, why]) => {
			const connection = await orchestrator.registered();
			await connection.request();
			const from = tetherd.lines.length;
			connection.write(Buffer.concat([bytes].flat()));
			const said = await connection.closing();
			assert.equal(said.code, code);
			const line = await tetherd.line("disconnected: ", { from });
			assert.match(line, why);
			assert.match(line, /^[ -~]*; next attempt in \d+ ms$/);
		});
		const connection = await orchestrator.registered();
		assert.equal((await connection.request()).status, 502);
		assert.deepEqual(tetherd.all("lost child"), []);
	});
}

// All rows on one connection, which stands at the end.
function odd(name, rows, conf) {
	scenario(name, async (stage) => {
		const { orchestrator, tetherd } = await start(stage, conf);
		const connection = await orchestrator.registered();
		await eachRow(rows, async ([, bytes, check]) => {
			connection.write(Buffer.concat([bytes].flat()));
			await check?.(connection, tetherd);
			assert.equal((await connection.request()).status, 502);
		});
		assert.equal(orchestrator.attempts, 1);
		assert.deepEqual(connection.frames.items, []);
		assert.deepEqual(tetherd.all("lost child"), []);
	});
}

const refresh = JSON.stringify({ type: "command",
	command: "refresh_status" });
const updated = (connection) => connection.receive("status_update");
const error = (said) => JSON.stringify({ type: "error", message: said });
const said = (what) => (connection, tetherd) =>
	tetherd.line(`the orchestrator says: ${what}`);
const ponged = (...payloads) => async (connection) => {
	for (const payload of payloads)
		assert.equal((await connection.control(pong)).payload.toString(),
			payload);
};

describe("frames", { concurrency: 4 }, () => {
	broken("2 headers that break RFC 6455", [
		...[0x40, 0x20, 0x10, 0x70].map((rsv) => [`reserved bits ${rsv}`,
			frame(TEXT, "{}", { rsv }), 1002, /bad frame header/]),
		["a reserved bit of a fragment", [frame(TEXT, "{", open),
			frame(more, "}", { rsv: 0x40 })], 1002, /bad frame header/],
		["a reserved bit of a ping", frame(ping, "", { rsv: 0x40 }),
			1002, /bad frame header/],
		...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
			`opcode ${opcode}`, frame(opcode), 1002, /unknown opcode/]),
		["masked", frame(TEXT, "{}", { mask: true }), 1002,
			/bad frame header/],
		["a masked ping", frame(ping, "", { mask: true }), 1002,
			/bad frame header/],
		["a masked close", frame(close, "\x03\xe8", { mask: true }), 1002,
			/bad frame header/],
		["a fragmented ping", frame(ping, "", open), 1002,
			/bad frame header/],
		["a fragmented pong", frame(pong, "x", open), 1002,
			/bad frame header/],
		["a fragmented close", frame(close, "", open), 1002,
			/bad frame header/],
		["a ping of 126 bytes", frame(ping, "x".repeat(126)), 1002,
			/bad frame header/],
		["a close of 65536 bytes", frame(close, "x".repeat(65536)), 1002,
			/bad frame header/],
		["a long ping's header alone", frame(ping, "", { length: 200 }),
			1002, /bad frame header/],
		["a continuation of nothing", frame(more, "x"), 1002,
			/out of order/],
		["and one that has no end", frame(more, "x", open), 1002,
			/out of order/],
		["a continuation after the end", [text("{}"), frame(more)],
			1002, /out of order/],
		["text inside text", [frame(TEXT, "{", open), text("{}")], 1002,
			/out of order/],
		["binary inside text", [frame(TEXT, "{", open),
			frame(binary, "x", open)], 1002, /out of order/],
		["a ping's length in 2 bytes", frame(ping, "x", { form: 2 }),
			1002, /bad frame header/],
		["125 in 2 bytes", frame(TEXT, "x".repeat(125), { form: 2 }),
			1002, /bad frame header/],
		["0 in 8 bytes", frame(TEXT, "", { form: 8 }), 1002,
			/bad frame header/],
		["65535 in 8 bytes", frame(TEXT, "x".repeat(65535), { form: 8 }),
			1002, /bad frame header/],
		["the highest bit of a length", frame(TEXT, "", {
			length: 1n << 63n }), 1002, /bad frame header/],
		["all bits of a length", frame(TEXT, "", {
			length: (1n << 64n) - 1n }), 1002, /bad frame header/],
		["compressed, though nobody asked for that", frame(TEXT,
			Buffer.from("aa56ca48cdc9c95700", "hex"), { rsv: 0x40 }),
		1002, /bad frame header/],
	]);

	broken("2 text that is not UTF-8", [
		...[[0x80], [0xff], [0xc0, 0xaf], [0xc3, 0x28], [0xed, 0xa0, 0x80],
			[0xe0, 0x80, 0xaf], [0xf0, 0x82, 0x82, 0xac],
			[0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
			[0xc3], [0xf0, 0x9f, 0x97]].map((bytes) => [
			`${bytes}`, frame(TEXT, bytes), 1007, /text is not UTF-8/]),
		["in the second fragment", [frame(TEXT, "{", open),
			frame(more, [0xff], open)], 1007, /text is not UTF-8/],
		["cut by the end of the fragments", [frame(TEXT, [0xc3], open),
			frame(more, [], open), frame(more, [])], 1007,
		/text is not UTF-8/],
		["wrong from one fragment to the next", [
			frame(TEXT, [0xf0, 0x9f], open), frame(more, [0x41])],
		1007, /text is not UTF-8/],
		["found before the message ends", frame(TEXT, [0x41, 0xff],
			{ length: 1000 }), 1007, /text is not UTF-8/],
	]);

	broken("2 close frames", [
		["1 byte", frame(close, "x"), 1002, /bad close frame/],
		...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000,
			65535].map((code) => [`code ${code}`, closeFrame(code), 1002,
			/bad close code/]),
		...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
			1013, 1014, 3000, 3999, 4000, 4999].map((code) =>
			[`code ${code}`, closeFrame(code, "why not"), code,
				new RegExp(`closed with ${code} why not;`)]),
		["no code", frame(close), null, /closed with 1005;/],
		["a reason that is not UTF-8", frame(close,
			[0x03, 0xe8, 0x61, 0xff]), 1007, /reason is not UTF-8/],
		["a reason of 123 bytes", closeFrame(1000, "r".repeat(123)), 1000,
			/closed with 1000 r{100,123}/],
		["a reason for a terminal", closeFrame(1000, "\u001b[2J\r\nx"),
			1000, /closed with 1000 /],
		["data behind it", [closeFrame(1001), text("{}"),
			text(refresh), frame(3)], 1001, /closed with 1001;/],
		["in the midst of a message", [frame(TEXT, "{", open),
			closeFrame(1001)], 1001, /closed with 1001;/],
		["a second one", [closeFrame(1001), closeFrame(1008)], 1001,
			/closed with 1001;/],
	]);

	const long = "x".repeat(65536);
	broken("1 messages beyond the limit", [
		["announced: 2^40 bytes", frame(TEXT, "", { length: 1n << 40n }),
			1009, /message too big/],
		["announced: 2^63 - 1 bytes", frame(TEXT, "",
			{ length: (1n << 63n) - 1n }), 1009, /message too big/],
		["announced: one byte more", frame(TEXT, "", { length: 65537 }),
			1009, /message too big/],
		["announced: binary", frame(binary, "", { length: 65537 }), 1009,
			/message too big/],
		["one frame", frame(TEXT, `${long}x`), 1009, /message too big/],
		["a second fragment", [frame(TEXT, long, open),
			frame(more, "x")], 1009, /message too big/],
		["announced for the second fragment", [frame(TEXT, "x", open),
			frame(more, "", { length: (1n << 63n) - 1n })], 1009,
		/message too big/],
		["many fragments", shred(`${long}x`), 1009, /message too big/],
	], SMALL);

	odd("1 messages as long as they may be", [
		["one frame", text(refresh.padEnd(65536)), updated],
		["fragments of one byte", shred(refresh.padEnd(65536)), updated],
	], SMALL);

	odd("2 frames that are allowed", [
		["empty text", text("")],
		["empty fragments alone", [frame(TEXT, "", open), frame(more)]],
		["10000 empty fragments", [frame(TEXT, "", open),
			...Array(10000).fill(frame(more, "", open)),
			frame(more, refresh)], updated],
		["fragments of one byte", shred(error("é€🗝 ä in bytes")),
			said("????????? ?? in bytes")],
		["fragments of one byte, a ping in each", shred(refresh)
			.flatMap((part) => [frame(ping, "p"), part]),
		async (connection) => {
			await ponged(...Array(refresh.length).fill("p"))(connection);
			await updated(connection);
		}],
		["pongs that nobody asked for", [frame(pong), frame(pong, "x"),
			frame(pong, "y".repeat(125))]],
		["pings", [frame(ping), frame(ping, "\u0000\u001b"),
			frame(ping, "z".repeat(125))],
		ponged("", "\u0000\u001b", "z".repeat(125))],
		["binary", frame(binary, refresh), async (connection, tetherd) => {
			await tetherd.line("binary message ignored");
			assert.equal((await connection.request()).status, 502);
			assert.equal(connection.messages.length, 0);
		}],
		["126 and 65535 bytes", [text(refresh.padEnd(126)),
			text(refresh.padEnd(65535))], async (connection) => {
			await updated(connection);
			await updated(connection);
		}],
		["65536 bytes", text(refresh.padEnd(65536)), updated],
	]);

	scenario("3 a ping is answered before the message around it ends",
		async (stage) => {
			const { orchestrator } = await start(stage);
			const connection = await orchestrator.registered();
			connection.write(frame(TEXT, refresh.slice(0, 5), open));
			connection.write(frame(ping, "now"));
			await ponged("now")(connection);
			connection.write(frame(more, refresh.slice(5)));
			await updated(connection);
		});

	scenario("2 a frame byte for byte, each in a segment of its own",
		async (stage) => {
			const { orchestrator } = await start(stage);
			const connection = await orchestrator.registered();
			const bytes = Buffer.concat([text(refresh.padEnd(130)),
				frame(ping, "p"), text(refresh)]);
			for (const byte of bytes) {
				connection.write(Buffer.from([byte]));
				await new Promise(setImmediate);
			}
			await updated(connection);
			await updated(connection);
			await ponged("p")(connection);
		});

	scenario("2 what we send: masked, whole, and closed with 1000",
		async (stage) => {
			const { orchestrator, tetherd } = await start(stage);
			const connection = await orchestrator.registered();
			connection.send({ type: "command", command: "disconnect" });
			assert.deepEqual(await connection.closing(),
				{ code: 1000, reason: "" });
			await tetherd.line("staying so until asked");
		});

	scenario("2 a close frame that is not answered", async (stage) => {
		const { orchestrator, tetherd } = await start(stage, undefined,
			{ close: false });
		const connection = await orchestrator.registered();
		connection.send({ type: "command", command: "disconnect" });
		await connection.control(close);
		const at = Date.now();
		await connection.end();
		assert.ok(Date.now() - at < 6000, "waits too long");
		await tetherd.line("staying so until asked");
	});
});
