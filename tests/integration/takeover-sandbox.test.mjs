// A process that somebody took over gets nothing from the kernel: what it asks
// for is refused, or is its end; the others do not even notice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";

import { scenario } from "./lib/scenario.mjs";
import { batches, deadly, LASTING, startTakeover } from "./lib/takeover.mjs";
import { until } from "./lib/time.mjs";
import { freePort } from "./lib/upstream.mjs";

const KILLED = /^signal 31 \(SIGSYS\): sandbox violation/;

// All but the one of that name are those that they were.
function assertOthers(before, after, name) {
	for (const other of LASTING)
		if (other !== name)
			assert.equal(after[other], before[other], other);
}

const OPENED = ["/", "/etc/passwd", "/etc/shadow", "etc/passwd",
	"../../../../../../etc/passwd", "/dev/null", "/dev/mem", "/dev/shm",
	"/tmp", "/sys/kernel", "/run"];
const CREATED = ["/tmp/tetherd-drill", "/dev/shm/tetherd-drill",
	"tetherd-drill"];
const PROC = ["read /proc/self/mem", "read /proc/self/environ",
	"read /proc/self/root/etc/passwd", "memory of tetherd",
	"environment of tetherd", "descriptor of tetherd"];

describe("files", { concurrency: 2 }, () => {
	for (const name of ["connector", "proxyd"])
		scenario(name, async (stage) => {
			const home = await stage.directory();
			const there = [join(home, "auth.db"), "auth.db",
				"state/tether.db"];
			const t = await startTakeover(stage,
				[`${name} go files ${there.join(" ")}`]);
			const before = t.pids();
			t.strike();
			const expected = [
				...OPENED.map((path) => `read ${path}`),
				...there.map((path) => `read ${path}`),
				...there.map((path) => `write ${path}`),
				...CREATED.map((path) => `create ${path}`),
				"unnamed /tmp",
			].map((what) => `${what}: EACCES`).concat(
				"descriptors that lead somewhere: 0",
				[...PROC, "readlink /proc/self/exe",
					"stat /etc/passwd", "access /etc/passwd"]
					.map((what) => `${what}: EACCES`));
			assert.deepEqual(await t.outcome(), expected);
			await t.works();
			assert.deepEqual(t.pids(), before);
		});

	// Where things are it may learn, as any user; nothing of what is in them.
	scenario("authd: its two folders, and nothing else", async (stage) => {
		const t = await startTakeover(stage, ["authd go files drill"]);
		const before = t.pids();
		t.strike();
		const outcome = await t.outcome();
		const results = new Map(outcome.map((line) => {
			const at = line.lastIndexOf(": ");
			return [line.slice(0, at), line.slice(at + 2)];
		}));
		const good = [...results].filter(([, result]) => result === "ok")
			.map(([what]) => what);
		// It was started in the folder of the database.
		assert.ok(good.includes("create tetherd-drill"));
		assert.deepEqual(good.filter((what) => what.startsWith("read ") ||
			what.startsWith("write ") || what.startsWith("unnamed ")), []);
		assert.equal(results.get("descriptors that lead somewhere"), "0");
		for (const what of [...OPENED.filter((path) => path !== "/dev/mem" &&
			path.startsWith("/")).map((path) => `read ${path}`),
		...CREATED.slice(0, 2).map((path) => `create ${path}`), ...PROC])
			assert.equal(results.get(what), "EACCES", what);
		assert.ok(existsSync(join(t.tetherd.home, "tetherd-drill")));
		await t.works();
		assert.deepEqual(t.pids(), before);
	});
});

// System calls that nobody needs: whoever makes one does not live on.
const DEADLY = ["fork", "vfork", "sibling", "execve", "ptrace",
	"process_vm_readv", "kill", "pidfd_open", "dumpable", "setuid",
	"setgroups", "setrlimit", "unshare", "setns", "chroot", "chdir", "fchdir",
	"mount", "open_by_handle_at", "openat2", "rename", "link", "symlink",
	"mknod", "chmod", "execmem", "mprotect", "pkey_mprotect", "memfd_create",
	"socket-packet", "socket-netlink", "socket-unix", "socket-vsock", "bind",
	"listen", "accept", "sendmmsg", "io_uring_setup", "bpf", "perf_event_open",
	"keyctl", "userfaultfd", "seccomp", "tiocsti", "setown",
	...process.arch === "x64" ? ["ia32", "x32"] : []]
	.map((call) => [call, LASTING]);
const DEADLY_FOR_SOME = [
	["unlink", ["connector", "proxyd"]],
	["mkdir", ["connector", "proxyd"]],
	["socket", ["connector", "authd"]],
	["connect", ["connector", "authd"]],
	["socketpair", ["connector"]],
];

describe("system calls", { concurrency: 3 }, () => {
	for (const calls of batches([...DEADLY, ...DEADLY_FOR_SOME].map(
		([call, names]) => [call, call, names])))
		scenario(calls.map(([call]) => call).join(", "), async (stage) => {
			const t = await startTakeover(stage, calls.flatMap(
				([call, , names]) => names.map(
					(name) => `${name} go ${deadly(call)}`)));
			const deaths = Object.fromEntries(
				LASTING.map((name) => [name, 0]));
			for (const [call, , names] of calls) {
				const from = t.tetherd.lines.length;
				t.strike();
				for (const name of names)
					assert.match(await t.lost(name, ++deaths[name]),
						KILLED, `${name}: ${call}`);
				if (names.includes("connector"))
					await t.reconnected();
				await t.tetherd.line(/registered with/,
					names.includes("connector") ? { from } : {});
				assert.deepEqual(t.tetherd.all(/drill: (?!done)/), []);
				t.untouched();
				await t.works();
			}
		});

	scenario("authd: files that are not its own", async (stage) => {
		const t = await startTakeover(stage,
			[`authd go ${deadly("unlink")} ; ${deadly("mkdir")}`]);
		t.strike();
		assert.deepEqual(await t.outcome(),
			["unlink: EACCES", "mkdir: EACCES"]);
		t.untouched();
		await t.works();
	});
});

describe("killing others", { concurrency: 3 }, () => {
	for (const name of LASTING)
		scenario(name, async (stage) => {
			const t = await startTakeover(stage, []);
			const before = t.pids();
			const others = LASTING.filter((other) => other !== name)
				.map((other) => before[other]);
			await t.plan([`${name} go kill ${t.tetherd.pid} ` +
				others.join(" ")]);
			const from = t.tetherd.lines.length;
			process.kill(before[name], "SIGKILL");
			await t.lost(name);
			if (name === "connector")
				await t.tetherd.registered(from);
			await t.works();
			t.strike();
			const how = await Promise.race([
				t.lost(name, 2),
				t.outcome().then((lines) => lines.join("\n")),
			]);
			// By Landlock, or by a filter that looks at whom it is for.
			assert.match(how,
				/^signal 31 |^(kill \d+: EPERM\n?){3}$/);
			if (name === "connector" && how.startsWith("signal"))
				await t.reconnected();
			await t.works();
			assertOthers(before, t.pids(), name);
		});
});

// A listener that counts.
async function listen(stage, address = "127.0.0.1", port = 0) {
	const server = createServer((socket) => {
		server.count++;
		socket.destroy();
	});
	server.count = 0;
	server.listen(port, address);
	await once(server, "listening");
	stage.atEnd(() => server.close());
	return server;
}

describe("network", { concurrency: 2 }, () => {
	scenario("proxyd: the port of the upstream, and no other",
		async (stage) => {
			const other = await listen(stage);
			const port = await freePort();
			// By design its address is not looked at, only the port.
			const same = await listen(stage, "127.0.0.2", port);
			const t = await startTakeover(stage, [[
				`proxyd go network tcp 127.0.0.1 ${other.address().port}`,
				"network tcp 127.0.0.1 22",
				`network tcp 127.0.0.2 ${port}`,
			].join(" ; ")], { upstream: () => listen(stage, "127.0.0.1", port)
				.then((server) => Object.assign(server, { port })) });
			t.strike();
			assert.deepEqual(await t.outcome(), [
				`tcp 127.0.0.1 ${other.address().port}: EACCES`,
				"tcp 127.0.0.1 22: EACCES",
				`tcp 127.0.0.2 ${port}: ok`]);
			await until(() => same.count === 1, "nobody connected");
			assert.equal(other.count, 0);
		});

	// What Landlock does not know must not be there at all.
	const kinds = ["udp", "mptcp", "sctp", "raw", "ping"];
	for (const few of [kinds.slice(0, 3), kinds.slice(3)])
		scenario(`proxyd: ${few.join(", ")}`, async (stage) => {
			const t = await startTakeover(stage, few.map(
				(kind) => `proxyd go network ${kind} 127.0.0.1 53`));
			for (let i = 0; i < few.length; i++) {
				t.strike();
				assert.match(await t.lost("proxyd", i + 1), KILLED);
				await t.works();
			}
			assert.deepEqual(t.tetherd.all(/drill: (?!done)/), []);
		});
});

/*
 * A datagram socket can send to others than the one it is connected to, and a
 * path is none of Landlock's business: log sockets are of another kind.
 */
describe("log lines to sockets of others", { concurrency: 3 }, () => {
	for (const name of LASTING)
		scenario(name, async (stage) => {
			const t = await startTakeover(stage,
				[`${name} go local /run/nobody`]);
			const pid = t.pids()[name];
			t.strike();
			assert.match(await t.lost(name), KILLED);
			assert.deepEqual(t.tetherd.all(`${name}[${pid}]: drill: `)
				.map((line) => line.slice(line.indexOf("drill: "))),
			["drill: not for the log", "drill: sendmsg: ok"]);
			if (name === "connector")
				await t.reconnected();
			await t.works();
		});
});
