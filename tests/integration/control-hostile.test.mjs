// Clients of the control socket that misbehave: each loses its own connection,
// and nobody else anything.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe } from "node:test";

import { BUILD, programPath, run, startTetherd, tetherctl }
	from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

// struct and numbers of common/msg.h: type, flags, length, id; then payload.
function datagram(type, payload = Buffer.alloc(0), { flags = 0,
	length = payload.length } = {}) {
	const header = Buffer.alloc(16);
	header.writeUInt16LE(type, 0);
	header.writeUInt16LE(flags, 2);
	header.writeUInt32LE(length, 4);
	return Buffer.concat([header, payload]).toString("hex");
}
const HELLO = 1;

// Memory of a sanitizer's build says nothing.
const sanitized = BUILD.includes("address");

async function start(stage, args = ["-d", "-v"]) {
	const tetherd = await startTetherd(stage, {
		args, env: { ORCHESTRATOR_MODE: "standalone" },
	});
	await tetherd.line("startup complete");
	return tetherd;
}

const client = (tetherd, ...actions) =>
	run(programPath("seqpacket"), [tetherd.socket, ...actions]);

// One that lives until the stage ends it.
const guest = (stage, tetherd, ...actions) => stage.start("seqpacket",
	programPath("seqpacket"), [tetherd.socket, ...actions]);

const descriptors = (tetherd) =>
	readdirSync(`/proc/${tetherd.pid}/fd`).length;

function memory(tetherd) {
	const text = readFileSync(`/proc/${tetherd.pid}/status`, "latin1");
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)[1]);
}

async function assertServed(tetherd) {
	const { code, stdout, stderr } =
		await tetherctl(tetherd, "-j", "show", "processes");
	assert.equal(code, 0, stderr);
	for (const row of JSON.parse(stdout))
		assert.equal(row.restarts, 0);
}

describe("hostile control clients", { concurrency: 4 }, () => {
	scenario("garbage", { skip: process.getuid() !== 0 &&
		"only root may count the descriptors" }, async (stage) => {
		const tetherd = await start(stage);
		// A client's is closed a moment after the client is gone.
		const before = descriptors(tetherd);
		await assertServed(tetherd);
		const welcome = ["hello", "recv"];

		await eachRow([
			["send=00"],
			["send="],
			[`send=${datagram(HELLO).slice(0, 20)}`],
			[`send=${datagram(HELLO)}`],
			[`send=${datagram(HELLO, Buffer.alloc(3))}`],
			[`send=${datagram(HELLO, Buffer.alloc(5))}`],
			[`send=${datagram(HELLO, Buffer.alloc(4), { length: 5 })}`],
			[`send=${datagram(HELLO, Buffer.alloc(4), { flags: 0x8000 })}`],
			[`send=${datagram(0)}`],
			[`send=${datagram(0xffff)}`],
			["type=1,65520"],
			["type=1,65521"],
			["type=1,100000"],
			["type=4,4"],
			["fds=1"],
			[...welcome, "type=2,8"],
			[...welcome, "type=4,0"],
			[...welcome, "type=4,8"],
			[...welcome, "type=300,0"],
			[...welcome, "hello"],
			[...welcome, "fds=1"],
			[...welcome, "fds=2"],
			[...welcome, "fds=50"],
			[...welcome, `send=${"ff".repeat(20)}`],
		], async (actions) => {
			const { code, stdout } = await client(tetherd, ...actions, "all");
			assert.equal(code, 0);
			assert.match(stdout, /recv: closed\n$/);
			assert.doesNotMatch(stdout, /recv: (?!closed|MSG_CTL_WELCOME)/);
		});
		await assertServed(tetherd);
		await until(() => descriptors(tetherd) === before,
			"descriptors were kept");
		assert.ok(tetherd.all(
			/control: uid \d+, pid \d+: .*$/).length > 20);
		assert.deepEqual(tetherd.all("reload asked for"), []);
	});

	scenario("another version", async (stage) => {
		const tetherd = await start(stage);
		const { stdout } = await client(tetherd, "hello=99", "all");
		assert.match(stdout, /^hello: sent\nrecv: MSG_CTL_DONE\ndone: tetherd \d+\.\d+\.\d+ is of another version\nrecv: closed\n$/);
		await assertServed(tetherd);
	});

	scenario("nine at once", async (stage) => {
		const tetherd = await start(stage);
		const guests = [];
		for (let i = 0; i < 8; i++)
			guests.push(guest(stage, tetherd, "hello", "recv", "wait"));
		for (const each of guests)
			await each.line("recv: MSG_CTL_WELCOME");
		const { stdout } = await client(tetherd, "all");
		assert.equal(stdout,
			"recv: MSG_CTL_DONE\ndone: too many clients\nrecv: closed\n");
		const { code, stderr } = await tetherctl(tetherd, "stats");
		assert.equal(code, 4);
		assert.equal(stderr, "tetherctl: too many clients\n");
		await guests[0].stop();
		await until(async () => (await tetherctl(tetherd, "stats")).code === 0,
			"no place became free");
	});

	scenario("a million messages, and never reads", async (stage) => {
		const tetherd = await start(stage, ["-d"]);
		await assertServed(tetherd);
		const before = memory(tetherd);
		const guests = [];
		for (let i = 0; i < 7; i++)
			guests.push(guest(stage, tetherd, "hello", "flood=1000000",
				"wait"));
		for (const each of guests)
			await each.line("flood: stopped", { timeout: 60000 });
		await assertServed(tetherd);
		const grown = memory(tetherd) - before;
		assert.ok(sanitized || grown < 2048, `${grown} kB more`);
		for (const each of guests)
			await each.stop();
		await assertServed(tetherd);
	});

	scenario("those who say nothing have to go", async (stage) => {
		const tetherd = await start(stage);
		const begin = Date.now();
		const silent = client(tetherd, "recv");
		// Longer than one wait of the client: two of them.
		const idle = client(tetherd, "hello", "recv", "recv", "recv");
		assert.equal((await silent).stdout, "recv: closed\n");
		assert.ok(Date.now() - begin > 4000, "too early");
		assert.ok(Date.now() - begin < 8000, "too late");
		assert.equal((await idle).stdout, "hello: sent\n" +
			"recv: MSG_CTL_WELCOME\nrecv: nothing\nrecv: closed\n");
		assert.ok(Date.now() - begin > 28000, "too early");
		assert.ok(Date.now() - begin < 35000, "too late");
		assert.equal(tetherd.all(": no greeting").length, 1);
		assert.equal(tetherd.all(": idle").length, 1);
	});

	scenario("no descriptors left: accepting waits", async (stage) => {
		const tetherd = await start(stage);
		const limit = (n) => run("prlimit",
			[`--nofile=${n}:`, "--pid", String(tetherd.pid)]);
		assert.equal((await limit(4)).code, 0);
		const asked = tetherctl(tetherd, "stats");
		await tetherd.line("control: accept: Too many open files");
		await tetherd.line("control: accept: Too many open files",
			{ from: tetherd.lines.length });
		await limit(512);
		const { code, stderr } = await asked;
		assert.equal(code, 0, stderr);
		assert.ok(tetherd.all("control: accept").length < 6);
	});

	scenario("a tetherd that hangs is not waited for for ever",
		async (stage) => {
			const tetherd = await start(stage);
			tetherd.signal("SIGSTOP");
			const begin = Date.now();
			const { code, stderr } = await tetherctl(tetherd, "stats");
			tetherd.signal("SIGCONT");
			assert.equal(code, 4);
			assert.equal(stderr, "tetherctl: no answer of tetherd: timeout\n");
			assert.ok(Date.now() - begin > 14000, "too early");
			assert.ok(Date.now() - begin < 20000, "too late");
			await assertServed(tetherd);
		});
});
