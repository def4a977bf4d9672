// Instances one of whose processes does what somebody would who took it over:
// see tests/takeover/drill.h.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startInstance } from "./instance.mjs";
import { identity } from "./orchestrator.mjs";
import { BUILD, programPath, ROOT } from "./programs.mjs";

const CHILDREN = ["launcher", "connector", "proxyd", "authd", "dialer"];

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
	const drill = join(folder, "drill");
	await writeFile(drill, plan.map((line) => `${line}\n`).join(""));
	return { program: join(tree, "sbin/tetherd"), drill };
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
 */
export async function startTakeover(stage, plan, options = {}) {
	const tree = await makeTree(stage, plan);
	const instance = await startInstance(stage,
		{ ...options, program: tree.program });
	const { tetherd, orchestrator } = instance;
	const pids = () => Object.fromEntries(LASTING.map((name) =>
		[name, tetherd.childPid(name)]));

	return {
		...instance,
		pids,
		plan: (lines) => writeFile(tree.drill,
			lines.map((line) => `${line}\n`).join("")),
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
		async works(members = {
			path: "/api/whoami", headers: identity(1, "ada") }) {
			let { connection } = instance;
			while (orchestrator.connections.length > 0)
				connection = await orchestrator.registered();
			instance.connection = connection;
			const answer = await connection.request(members);
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

async function nth(process, wanted, n, from = 0) {
	let line;

	for (let i = 0; i < n; i++) {
		line = await process.line(wanted, { from });
		from = process.lines.indexOf(line, from) + 1;
	}
	return line;
}
