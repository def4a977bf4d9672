// Instances one of whose processes does what somebody would who took it over:
// see tests/takeover/drill.h.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startInstance } from "./instance.mjs";
import { identity } from "./orchestrator.mjs";
import { BUILD, programPath, ROOT, startTetherd } from "./programs.mjs";

const CHILDREN = ["launcher", "connector", "proxyd", "authd", "dialer"];

// In plans: the path of a file that is there to be harmed.
const VICTIM = "VICTIM";

// A system call that is to be the end of who makes it.
export const deadly = (call) => `deadly ${call} ${VICTIM}`;

export const LASTING = ["connector", "proxyd", "authd"];

const TYPES = [...readFileSync(join(ROOT, "common/messages.def"), "utf8")
	.matchAll(/^MESSAGE\((\w+),/gm)].map(([, name]) => name);

// The parts of a payload.
export function u8(n) {
	return Buffer.of(n);
}

export function u32(n) {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(n);
	return bytes;
}

export function u64(n) {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64LE(BigInt(n));
	return bytes;
}

export function str(text) {
	const bytes = Buffer.from(text);
	return Buffer.concat([u32(bytes.length), bytes]);
}

// What a plan is made of: each is one attack, of several joined by " ; ".
export function send(to, type, payload = [],
	{ id = 0, flags = 0, times = 1, fds = 0 } = {}) {
	assert.ok(TYPES.includes(type) || Number.isInteger(type), type);
	const bytes = Buffer.concat(payload);
	return `send ${to} ${type} ${id} ${flags} ${times} ${fds} ` +
		(bytes.length === 0 ? "-" : bytes.toString("hex"));
}

export function log(level, text, { times = 1, fds = 0 } = {}) {
	return `log ${level} ${times} ${fds} ` +
		Buffer.from(text).toString("hex");
}

// A tree of programs of its own: link(2) does not work across file systems.
async function makeTree(stage, plan) {
	const tree = await stage.directory();
	const folder = join(tree, "libexec/tetherd");
	const put = (from, to) =>
		link(from, to).catch(() => copyFile(from, to));

	await chmod(tree, 0o755);
	await mkdir(join(tree, "sbin"));
	await mkdir(folder, { recursive: true });
	await put(programPath("tetherd"), join(tree, "sbin/tetherd"));
	for (const name of CHILDREN)
		await put(join(BUILD, "takeover/libexec/tetherd", name),
			join(folder, name));
	// Should a sandbox fail, this file is all that suffers.
	const victim = join(tree, "victim");
	await writeFile(victim, "untouched\n");
	const write = (lines) => writeFile(join(folder, "drill"), lines
		.map((line) => `${line}\n`.replaceAll(VICTIM, victim)).join(""));
	await write(plan);
	return { program: join(tree, "sbin/tetherd"), write, victim };
}

/*
 * An instance of startInstance() that has a plan: lines of "PROGRAM WHEN
 * ATTACK ...".  It has, besides:
 *	strike()	let those who wait for it ("go") do it
 *	outcome(n)	what n of them logged, once they are done: texts
 *	lost(name, n)	wait until that process died for the n-th time: how
 *	pids()		of those that last, by name
 *	works()		requests get answers, in which all have their part
 *	plan(lines)	for those that are started from now on
 *	untouched()	the file that system calls were aimed at is as it was
 */
export async function startTakeover(stage, plan, options = {}) {
	const tree = await makeTree(stage, plan);
	const instance = await startInstance(stage,
		{ ...options, program: tree.program });
	const { tetherd, orchestrator } = instance;
	let people = 100;
	const pids = () => Object.fromEntries(LASTING.map((name) =>
		[name, tetherd.childPid(name)]));

	return {
		...instance,
		pids,
		plan: tree.write,
		untouched: () => assert.equal(
			readFileSync(tree.victim, "utf8"), "untouched\n"),
		strike: () => tetherd.signal("SIGUSR1"),
		async outcome(n = 1, from = 0) {
			await nth(tetherd, /\]: drill: done$/, n, from);
			return tetherd.lines.slice(from)
				.map((line) => /\]: drill: (.*)$/.exec(line)?.[1])
				.filter((text) => text !== undefined &&
					text !== "done");
		},
		async lost(name, n = 1) {
			const line = await nth(tetherd,
				`lost child: ${name} terminated; `, n);
			return line.slice(line.indexOf("; ") + 2);
		},
		// On whatever connection there is now.
		async works() {
			let { connection } = instance;
			// Nobody whom proxyd knows.
			const members = { path: "/api/whoami",
				headers: identity(++people, "ada") };
			while (orchestrator.connections.length > 0)
				connection = await orchestrator.registered();
			instance.connection = connection;
			let answer = await connection.request(members);
			// What a dead proxyd was given last is lost.
			if (answer.status === 502)
				answer = await connection.request(members);
			assert.equal(answer.status, 200, answer.body);
			assert.ok(!tetherd.exited);
			return answer;
		},
		async reconnected() {
			instance.connection = await orchestrator.registered();
			return instance.connection;
		},
	};
}

// Only tetherd, waiting for nothing.
export async function startAlone(stage, plan) {
	const { program } = await makeTree(stage, plan);
	return { tetherd: await startTetherd(stage, { program,
		env: { ORCHESTRATOR_URL: "ws://127.0.0.1:1/" } }) };
}

async function nth(process, wanted, n, from = 0) {
	let line;

	for (let i = 0; i < n; i++) {
		line = await process.line(wanted, { from });
		from = process.lines.indexOf(line, from) + 1;
	}
	return line;
}

/*
 * Rows of [what, attack, why] that are the end of the program of that name:
 * who speaks to it says why, and the others do not even notice.
 */
export async function eachIsTheEnd(stage, name, rows, options) {
	const t = await startTakeover(stage,
		rows.map(([, attack]) => `${name} go ${attack} ; hang 9000`),
		options);
	const before = t.pids();
	for (const [i, [what, , why]] of rows.entries()) {
		const from = t.tetherd.lines.length;
		t.strike();
		const how = await t.lost(name, i + 1);
		assert.equal(how, "signal 9 (Killed)", what);
		const reason = new RegExp(why === null
			? `${name}\\[\\d+\\]: not stopped in time; killed$`
			: `: channel to ${name}: ${why}$`);
		const lines = t.tetherd.lines.slice(from);
		assert.ok(lines.some((line) => reason.test(line)),
			`${what}: no ${reason} in\n${lines.join("\n")}`);
		if (name === "connector") {
			await t.reconnected();
			await t.tetherd.registered(from);
		}
		await t.works();
		for (const other of LASTING)
			if (other !== name)
				assert.equal(t.pids()[other], before[other],
					`${what}: ${other}`);
	}
}

/*
 * Rows for one eachIsTheEnd(): more deaths would be too many for tetherd, and
 * more accusations for the one who accuses.
 */
export function batches(list) {
	const all = [];
	let batch = [];
	for (const row of list) {
		const most = / (?:proxyd|authd|connector) /
			.test(` ${row[1].split(" ")[1]} `) ? 2 : 4;
		if (batch.length >= most)
			all.push(batch.splice(0));
		batch.push(row);
	}
	return [...all, batch];
}

// The payloads of the messages of a type that outcome() tells of.
export function got(lines, type) {
	return lines.map((line) =>
		new RegExp(`^got MSG_${type}: (.*)$`).exec(line)?.[1])
		.filter((hex) => hex !== undefined)
		.map((hex) => Buffer.from(hex, "hex"));
}

// All processes are what they were, and all of it goes on.
export async function assertUnharmed(t, before) {
	assert.deepEqual(t.pids(), before);
	assert.deepEqual(t.tetherd.all(/lost child|is broken/), []);
	await t.works();
}

const NOT_HERE = "message not allowed on this channel";
const MALFORMED = "malformed message";

// What none of them may send to tetherd.
export const TO_PARENT = [
	["a byte", "raw tetherd 1 1 0", "datagram of the wrong size"],
	["nearly a header", "raw tetherd 15 1 0", "datagram of the wrong size"],
	["nothing", "raw tetherd 0 1 0", null],
	["64 KiB of garbage", "raw tetherd 65536 1 0", "unknown message type"],
	["more than a message", "raw tetherd 65537 1 0", "malformed datagram"],
	["an unknown type", send("tetherd", 9999), "unknown message type"],
	["flags", send("tetherd", "CONF_SWITCHED", [], { flags: 0x8000 }),
		"unknown flags"],
	["a payload", send("tetherd", "READY", [u32(1)]),
		"length not allowed for this message"],
	["a descriptor", send("tetherd", "CONF_SWITCHED", [], { fds: 1 }),
		"descriptor missing or not allowed"],
	["two of them", send("tetherd", "CONF_SWITCHED", [], { fds: 2 }),
		"malformed datagram"],
	["253 of them, many times", "raw tetherd 16 5000 253",
		"malformed datagram"],
	["READY again", send("tetherd", "READY"), MALFORMED],
	["HELLO_BACK again", send("tetherd", "HELLO_BACK", [u32(6)]),
		"message not allowed now"],
	["HELLO", send("tetherd", "HELLO", [u32(6)]), NOT_HERE],
	["CONF_ACCEPTED", send("tetherd", "CONF_ACCEPTED", [u32(0)], { id: 1 }),
		MALFORMED],
	["CONF_REFUSED", send("tetherd", "CONF_REFUSED", [str("no")], { id: 1 }),
		MALFORMED],
	["CONF_SWITCHED", send("tetherd", "CONF_SWITCHED", [], { id: 1 }),
		MALFORMED],
	["STATUS", send("tetherd", "STATUS", [], { id: 1 }), MALFORMED],
	["many of them", send("tetherd", "STATUS", [Buffer.alloc(16000)],
		{ times: 5000 }), MALFORMED],
	["PEER_BROKEN of tetherd", send("tetherd", "PEER_BROKEN",
		[u32(0), str("x")]), MALFORMED],
	["PEER_BROKEN of nobody", send("tetherd", "PEER_BROKEN",
		[u32(77), str("x")]), MALFORMED],
	["PEER_BROKEN of the dialer", send("tetherd", "PEER_BROKEN",
		[u32(4), str("x")]), MALFORMED],
	["what a dialer says", send("tetherd", "DIALER_SOCKET", [str("x")],
		{ fds: 1 }), NOT_HERE],
	["what the launcher says", send("tetherd", "LAUNCHED", [u32(1)],
		{ fds: 1 }), NOT_HERE],
	["what the launcher is told", send("tetherd", "LAUNCH", [u32(1)],
		{ fds: 1 }), NOT_HERE],
	["what tetherctl says", send("tetherd", "CTL_RELOAD"), NOT_HERE],
	["its own settings", send("tetherd", "CONF_AUTHD", [Buffer.alloc(64)]),
		NOT_HERE],
	["a closed channel", "close tetherd", null],
];

export { MALFORMED, NOT_HERE };

// Payloads of AUDIT and SESSION: see common/audit.h and common/session.h.
export const AUDIT_SIGN_IN = 0;
export const AUDIT_REQUEST = 1;

export function audit(event, { verdict = 0, id = 1, login = "ada", role = "full",
	method = "GET", path = "/drill", status = 200, why = "" } = {}) {
	return [u8(event), u8(verdict), u64(id), str(login), str(role),
		str(method), str(path), u32(status), str(why)];
}

export function session({ status = 0, role = 0, lifetime = 60000, id = 1,
	login = "ada", jwt = "a.b.c", reason = "", advice = "" } = {}) {
	return [u8(status), u8(role), u32(lifetime), u64(id), str(login),
		str(jwt), str(reason), str(advice)];
}
