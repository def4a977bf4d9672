// Our WebSocket code against many cases of right and wrong frames; and that
// the judge of these knows a client that is wrong.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { describe } from "node:test";

import { closeFrame, frame, FrameReader, TEXT } from
	"../autobahn/frames.mjs";
import { Fuzzer, summary } from "../autobahn/server.mjs";
import { programPath, run } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

async function startFuzzer(stage, options) {
	const fuzzer = new Fuzzer(options);
	await fuzzer.listen();
	stage.atEnd(() => fuzzer.close());
	return fuzzer;
}

const verdicts = (others) => others.map(({ id, what, verdict, got, faults }) =>
	`${verdict} ${id} ${what}: ${got} ${faults}`);

/*
 * What is wrong with it: it looks at neither texts nor reserved bits nor the
 * order of fragments, answers no ping and no close frame, and masks the same
 * way always, with the options that are true.
 */
function wrongClient(url, options) {
	const { port } = new URL(url);
	const mask = () => options.sameMask ? [1, 2, 3, 4] : randomBytes(4);
	let pieces = [];
	let type;

	return (target) => new Promise((resolve) => {
		const socket = connect(Number(port), "127.0.0.1");
		const say = (opcode, payload) =>
			socket.write(frame(opcode, payload, { mask: mask() }));
		const reader = new FrameReader(({ opcode, fin, payload }) => {
			if (opcode === 8 && !options.deaf)
				return socket.end(closeFrame(1000, "", { mask: mask() }));
			if (opcode === 9 && options.pongs)
				return say(10, payload);
			if (opcode >= 8)
				return undefined;
			type = opcode || type || TEXT;
			pieces.push(payload);
			if (fin) {
				say(type, Buffer.concat(pieces));
				pieces = [];
			}
			return undefined;
		});
		let head = "";
		socket.on("data", (data) => {
			if (head.endsWith("\r\n\r\n"))
				return reader.feed(data);
			// The answer comes before all frames, as one piece.
			head += data.toString("latin1");
			const end = head.indexOf("\r\n\r\n") + 4;
			if (end < 4)
				return undefined;
			reader.feed(data.subarray(data.length - (head.length - end)));
			head = head.slice(0, end);
			return undefined;
		});
		socket.on("error", () => {});
		socket.on("close", resolve);
		socket.on("end", () => socket.end());
		socket.write(`GET ${target} HTTP/1.1\r\nHost: h\r\n` +
			"Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			`Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n` +
			"Sec-WebSocket-Version: 13\r\n\r\n");
	});
}

// How the wrong client does in these cases: { id: verdict }.
async function judged(stage, cases, options = {}) {
	const fuzzer = await startFuzzer(stage, { cases, patience: 100 });
	const ask = wrongClient(fuzzer.url, options);
	for (let i = 1; i <= fuzzer.cases.length; i++)
		await ask(`/runCase?case=${i}&agent=wrong`);
	return Object.fromEntries(fuzzer.reports.wrong
		.map(({ id, verdict }) => [id, verdict]));
}

const all = (verdict, ids) =>
	Object.fromEntries(ids.map((id) => [id, verdict]));

const numbered = (group, n) =>
	Array.from({ length: n }, (_, i) => `${group}.${i + 1}`);

describe("frames", { concurrency: 1 }, () => {
	for (const [name, args] of [["whole", []], ["in parts", ["-p"]]])
		scenario(`messages ${name}`, async (stage, t) => {
			const fuzzer = await startFuzzer(stage);
			const { code, stdout, stderr } = await run(
				programPath("client"), [...args, fuzzer.url]);
			const { counts, others } = summary(fuzzer.reports.tetherd);
			t.diagnostic(JSON.stringify(counts));
			assert.deepEqual(verdicts(others), []);
			assert.equal(fuzzer.reports.tetherd.length,
				fuzzer.cases.length);
			assert.ok(counts.OK > 500, "some cases are missing");
			assert.deepEqual([code, stderr], [0, ""]);
			assert.equal(stdout, `${fuzzer.cases.length} cases, ` +
				"0 could not be run\n");
		});

	scenario("one case of a name", async (stage) => {
		const fuzzer = await startFuzzer(stage, { cases: ["7.1"] });
		const { code, stdout } = await run(programPath("client"),
			["-v", "-a", "me", "-c", "2", fuzzer.url]);
		assert.equal(code, 0);
		assert.match(stdout, /case=2&agent=me: 1000$/m);
		assert.equal(fuzzer.reports.me[1].id, "7.1.2");
	});

	scenario("a case that does not end", async (stage) => {
		const fuzzer = await startFuzzer(stage, { cases: ["5.15"] });
		fuzzer.cases = [{ ...fuzzer.cases[0], steps: [{ ms: 3000 }] }];
		const { code, stderr } = await run(programPath("client"),
			["-t", "1", fuzzer.url]);
		assert.equal(code, 1);
		assert.match(stderr, /case=1.*: took too long/);
	});

	scenario("a client that is wrong fails", async (stage) => {
		assert.deepEqual(await judged(stage, ["1.1"]),
			all("OK", numbered("1.1", 14)));
		assert.deepEqual(await judged(stage, ["2.1", "2.3", "2.7"]),
			all("FAILED", ["2.1", "2.3", "2.7"]));
		assert.deepEqual(await judged(stage, ["2.7"], { pongs: true }),
			all("OK", ["2.7"]));
		assert.deepEqual(await judged(stage, ["3.1", "4.1.2", "5.16"]),
			all("FAILED", [...numbered("3.1", 8), "4.1.2", "5.16"]));
		assert.deepEqual(await judged(stage, ["6.1.1", "6.2.1", "6.2.4"]),
			{ "6.1.1": "OK", "6.2.1": "FAILED", "6.2.4": "FAILED" });
		assert.deepEqual(await judged(stage, ["7.1.1", "7.4.2", "8.1"],
			{ deaf: true }),
		all("FAILED", ["7.1.1", "7.4.2", "8.1"]));
		assert.deepEqual(await judged(stage, ["9.7.1"],
			{ sameMask: true }), all("FAILED", ["9.7.1"]));
	});
});
