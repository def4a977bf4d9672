// Somebody took over a dialer, or the launcher.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe } from "node:test";

import { scenario } from "./lib/scenario.mjs";
import { deadly, NOT_HERE, send, startAlone, startTakeover, str, u32 } from
	"./lib/takeover.mjs";

// The next dialer does it, and another one does what it was there for.
async function dialAgain(t, attack) {
	const from = t.tetherd.lines.length;
	await t.plan([`dialer start ${attack}`]);
	t.tetherd.signal("SIGUSR2");
	await t.reconnected();
	await t.tetherd.registered(from);
	return t.tetherd.lines.slice(from);
}

const drilled = (lines) => lines.map((line) =>
	/dialer\[\d+\]: drill: (.*)$/.exec(line)?.[1])
	.filter((text) => text !== undefined && text !== "done");

describe("dialer", { concurrency: 3 }, () => {
	const calls = ["fork", "sibling", "execve", "ptrace", "process_vm_readv",
		"kill", "pidfd_open", "setuid", "unshare", "chroot", "mount",
		"unlink", "rename", "mkdir", "chmod", "listen", "socket-packet",
		"memfd_create", "bpf", "seccomp"];
	for (const few of [calls.slice(0, 10), calls.slice(10)])
		scenario(few.join(", "), async (stage) => {
			const t = await startTakeover(stage, []);
			const before = t.pids();
			for (const call of few) {
				const lines = await dialAgain(t, deadly(call));
				assert.deepEqual(drilled(lines), [], call);
				assert.ok(lines.some((line) => line.includes("dialer " +
					"signal 31 (SIGSYS): sandbox violation")),
				`${call}\n${lines.join("\n")}`);
			}
			assert.deepEqual(t.pids(), before);
			await t.works();
		});

	scenario("ports and files that are not its own", async (stage) => {
		const t = await startTakeover(stage, []);
		const before = t.pids();
		const other = createServer((socket) => socket.destroy());
		other.listen(0, "127.0.0.1");
		await once(other, "listening");
		stage.atEnd(() => other.close());
		const lines = drilled(await dialAgain(t, [
			`network tcp 127.0.0.1 ${other.address().port}`,
			`files ${t.tetherd.database}`,
		].join(" ; ")));
		assert.equal(lines[0],
			`tcp 127.0.0.1 ${other.address().port}: EACCES`);
		// Nothing but what the name service needs, whichever way.
		const good = lines.filter((line) => /^(read|write|create|unnamed) .*: ok$/
			.test(line));
		assert.deepEqual(good.filter((line) =>
			!/^read (\.\.|\/proc\/self\/root)?\/?.*etc\/passwd: ok$/.test(line)), []);
		assert.deepEqual(t.pids(), before);
		await t.works();
	});

	scenario("killing others, of the same user as well", async (stage) => {
		const t = await startTakeover(stage, []);
		const before = t.pids();
		const targets = [t.tetherd.pid, ...Object.values(before)];
		const lines = await dialAgain(t, `kill ${targets.join(" ")}`);
		assert.match(drilled(lines).join("\n"), /^(kill \d+: EPERM\n?){4}$|^$/);
		assert.deepEqual(t.pids(), before);
		await t.works();
	});

	const wrong = [
		["a dial of its own", send("tetherd", "DIAL"), NOT_HERE],
		["the launcher's", send("tetherd", "LAUNCHED", [u32(1)], { fds: 1 }),
			NOT_HERE],
		["an accusation", send("tetherd", "PEER_BROKEN",
			[u32(1), str("x")]), "message that nobody handles"],
		["two descriptors", send("tetherd", "DIALER_SOCKET", [str("x")],
			{ fds: 2 }), "malformed datagram"],
		["many descriptors", "raw tetherd 16 5000 253", "malformed datagram"],
		["garbage", "raw tetherd 65536 1 0", "unknown message type"],
		["what is no socket to anywhere", send("tetherd", "DIALER_SOCKET",
			[str("127.0.0.1:1")], { fds: 1 }), "malformed message"],
	];
	for (const [what, attack, why] of wrong)
		scenario(what, async (stage) => {
			const t = await startTakeover(stage, []);
			const before = t.pids();
			const lines = await dialAgain(t, `${attack} ; hang 9000`);
			assert.ok(lines.some((line) =>
				line.includes(`channel to dialer: ${why}`)),
			lines.join("\n"));
			assert.deepEqual(t.pids(), before);
			await t.works();
		});
});

describe("launcher", { concurrency: 2 }, () => {
	// Nothing works without it: its end is that of tetherd, and no secret.
	for (const call of ["fork", "vfork", "ptrace", "process_vm_readv", "kill",
		"pidfd_open", "mount", "unshare", "setns", "rename", "socket-packet",
		"listen"])
		scenario(call, async (stage) => {
			const { tetherd } = await startAlone(stage,
				[`launcher start ${deadly(call)}`]);
			const { code } = await tetherd.ended();
			assert.equal(code, 1);
			assert.deepEqual(tetherd.all("drill: "), []);
			await tetherd.line("launcher: closed");
		});

	scenario("programs that are none of ours", async (stage) => {
		const t = await startTakeover(stage,
			[`launcher start ${deadly("execve")} ; ${deadly("execmem")}`]);
		assert.deepEqual(t.tetherd.all(/drill: (?!done)/)
			.map((line) => line.slice(line.indexOf("drill: "))),
		["drill: execve: EACCES", "drill: execmem: ok"]);
		await t.works();
	});
});
