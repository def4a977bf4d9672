// The process that starts the others: its end, and what it hands on.

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync,
	readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { ask } from "./lib/control.mjs";
import { startInstance } from "./lib/instance.mjs";
import { programPath, run, startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];
const NOT_ROOT = process.getuid() !== 0 && "only root may look";
const HINT = "signal 31 (SIGSYS): sandbox violation; " +
	"see type=1326 in the kernel's log";

// True once a process has ended, whether or not it was waited for.
function isGone(pid) {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		return / Z /.test(stat.slice(stat.lastIndexOf(")")));
	} catch {
		return true;
	}
}

// Without the orchestrator, which none of this is about.
async function startAlone(stage, options = {}) {
	const tetherd = await startTetherd(stage, {
		...options,
		env: { ORCHESTRATOR_MODE: "standalone", ...options.env },
	});
	await tetherd.line("startup complete");
	return tetherd;
}

const everybody = (tetherd) =>
	[tetherd.launcherPid(), ...CHILDREN.map(tetherd.childPid)];

async function allGone(pids) {
	for (const pid of pids)
		await until(() => isGone(pid), `${pid} is still there`, 2000);
}

// tetherd gave up, and took all with it.
async function gaveUp(tetherd, pids) {
	assert.deepEqual(await tetherd.ended(), { code: 1, signal: null });
	assert.match(tetherd.all("lost child: launcher").join(),
		/^tetherd: lost child: launcher terminated; .*: giving up, as nothing can be started without it$/);
	await allGone(pids);
}

// Our own folder of programs, which may be changed.
async function copyPrograms(stage) {
	const top = await stage.directory();
	const names = ["launcher", "dialer", ...CHILDREN];

	chmodSync(top, 0o755);
	mkdirSync(join(top, "sbin"));
	mkdirSync(join(top, "libexec/tetherd"), { recursive: true });
	const path = (name) => join(top, "libexec/tetherd", name);
	for (const name of names)
		copyFileSync(programPath(name), path(name));
	copyFileSync(programPath("tetherd"), join(top, "sbin/tetherd"));
	// By exec: the arguments are those of the program that is left out.
	return { path, within: ["/bin/sh", "-c",
		`shift; exec ${join(top, "sbin/tetherd")} "$@"`, "sh"] };
}

describe("the launcher", { concurrency: 4 }, () => {
	for (const [signal, how] of [["SIGKILL", "signal 9 (Killed)"],
		["SIGSEGV", "signal 11 (Segmentation fault)"], ["SIGSYS", HINT]])
		scenario(`${signal}: tetherd ends`, async (stage) => {
			const tetherd = await startAlone(stage);
			const pids = everybody(tetherd);
			process.kill(tetherd.launcherPid(), signal);
			await gaveUp(tetherd, pids);
			assert.equal(tetherd.all(`terminated; ${how}: `).length, 1);
		});

	scenario("it goes while tetherd stops: no failure", async (stage) => {
		const tetherd = await startAlone(stage);
		process.kill(tetherd.childPid("authd"), "SIGSTOP");
		tetherd.signal("SIGTERM");
		await tetherd.line("terminating");
		process.kill(tetherd.launcherPid(), "SIGKILL");
		await tetherd.line("lost child: launcher");
		process.kill(tetherd.childPid("authd"), "SIGCONT");
		assert.deepEqual(await tetherd.ended(), { code: 0, signal: null });
	});

	scenario("it does not answer: tetherd waits two seconds, once",
		async (stage) => {
			const tetherd = await startAlone(stage);
			const pids = everybody(tetherd);
			process.kill(tetherd.launcherPid(), "SIGSTOP");
			const began = Date.now();
			for (const name of CHILDREN)
				process.kill(tetherd.childPid(name), "SIGKILL");
			await tetherd.line(/launcher\[\d+\]: no answer: timeout/);
			assert.ok(Date.now() - began < 4000);
			await gaveUp(tetherd, pids);
			assert.ok(Date.now() - began < 8000);
			assert.equal(tetherd.all("no answer").length, 1);
		});

	scenario("signals of a terminal reach it, and nothing happens",
		async (stage) => {
			const tetherd = await startAlone(stage);
			const pids = everybody(tetherd);
			for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1",
				"SIGUSR2", "SIGPIPE"])
				for (const pid of pids)
					process.kill(pid, signal);
			assert.match(await ask(tetherd, "show", "processes"),
				/^launcher +\d+ +\d+ +running /m);
			assert.deepEqual(everybody(tetherd), pids);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("tetherd is killed: all end, also those that hang",
		async (stage) => {
			const tetherd = await startAlone(stage);
			const pids = everybody(tetherd);
			for (const pid of pids)
				process.kill(pid, "SIGSTOP");
			tetherd.signal("SIGKILL");
			await allGone(pids);
			await tetherd.ended();
		});

	scenario("a program that is gone: its loss says why", async (stage) => {
		const { path, within } = await copyPrograms(stage);
		const tetherd = await startAlone(stage, { within });
		renameSync(path("proxyd"), path("away"));
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		await tetherd.line(/^tetherd: proxyd\[\d+\]: can't execute .*\/proxyd: No such file or directory$/);
		await tetherd.line(
			"lost child: proxyd terminated; exited with status 127");
		assert.equal((await tetherd.ended()).code, 1);
		assert.equal(tetherd.all("the last time by exited with status 127: " +
			"giving up").length, 1);
	});

	scenario("a program that was replaced is the new one", async (stage) => {
		const { path, within } = await copyPrograms(stage);
		const tetherd = await startAlone(stage, { within });
		const pid = tetherd.childPid("proxyd");
		copyFileSync(path("proxyd"), path("new"));
		chmodSync(path("new"), 0o755);
		renameSync(path("new"), path("proxyd"));
		process.kill(pid, "SIGKILL");
		await until(async () => /^proxyd +\d+ +\d+ +running.* 1 /m
			.test(await ask(tetherd, "show", "processes")),
		"proxyd did not come back");
		assert.notEqual(tetherd.childPid("proxyd"), pid);
	});

	scenario("none at the start: said, and exit status 1", async (stage) => {
		const { path, within } = await copyPrograms(stage);
		writeFileSync(path("launcher"), "no program");
		const tetherd = await startTetherd(stage, { within,
			env: { ORCHESTRATOR_MODE: "standalone" } });
		assert.equal((await tetherd.ended()).code, 1);
		await tetherd.line(/^tetherd: launcher\[\d+\]: can't execute .*\/launcher: Exec format error$/);
		await tetherd.line(
			"tetherd: launcher: closed; exited with status 127");
	});

	scenario("no more processes: it is tried again", {
		skip: process.getuid() === 0 && "root is not limited",
	}, async (stage) => {
		const tetherd = await startAlone(stage);
		const pid = tetherd.launcherPid();
		const [, most] = /^Max processes +(\w+)/m
			.exec(readFileSync(`/proc/${pid}/limits`, "utf8"));
		const limit = (n) => run("/usr/bin/prlimit",
			["--pid", String(pid), `--nproc=${n}:`]);
		assert.equal((await limit("0")).code, 0);
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		await tetherd.line("authd: fork: Resource temporarily unavailable");
		const from = tetherd.lines.length;
		assert.equal((await limit(most)).code, 0);
		await tetherd.line(/authd: started, pid/, { from });
	});
});

describe("what it hands on", { concurrency: 4 }, () => {
	scenario("GLIBC_TUNABLES reach all, and take effect", async (stage) => {
		const tetherd = await startAlone(stage,
			{ env: { GLIBC_TUNABLES: "glibc.malloc.top_pad=100000000" } });
		// Which all allocate: the heap is larger at once.
		for (const pid of everybody(tetherd)) {
			const status = readFileSync(`/proc/${pid}/status`, "utf8");
			const [, kib] = /^VmData:\s+(\d+) kB/m.exec(status);
			assert.ok(Number(kib) > 90000, `${pid} has ${kib} KiB`);
		}
	});

	scenario("nothing else of the environment", { skip: NOT_ROOT },
		async (stage) => {
			const tetherd = await startAlone(stage,
				{ env: { GLIBC_TUNABLES: "", GITHUB_TOKEN: "ghp_secret" } });
			for (const pid of everybody(tetherd)) {
				const text = readFileSync(`/proc/${pid}/environ`, "latin1");
				assert.doesNotMatch(text, /HOME|PATH|secret|JWT|DATABASE/);
			}
		});

	scenario("no terminal: descriptors 0 to 2", { skip: NOT_ROOT },
		async (stage) => {
			const sanitized = (process.env.TETHERD_BUILD ?? "")
				.includes("address");
			const tetherd = await startAlone(stage);
			for (const pid of everybody(tetherd)) {
				const link = (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`);
				assert.equal(link(0), "/dev/null");
				assert.equal(link(1), "/dev/null");
				if (!sanitized)
					assert.equal(link(2), link(4));
			}
		});

	scenario("descriptors do not grow with restarts and dials",
		{ skip: NOT_ROOT }, async (stage) => {
			const { tetherd, orchestrator, connection } =
				await startInstance(stage);
			const count = (pid) => readdirSync(`/proc/${pid}/fd`).length;
			const counts = () =>
				[tetherd.pid, tetherd.launcherPid()].map(count);
			const before = counts();
			let now = connection;
			for (let i = 0; i < 4; i++) {
				const from = tetherd.lines.length;
				now.socket.destroy();
				now = await orchestrator.registered();
				await tetherd.registered(from);
				process.kill(tetherd.childPid(CHILDREN[i % 2 + 1]), "SIGKILL");
				await tetherd.line("lost child", { from });
				await until(async () => !/starting|stopped/
					.test(await ask(tetherd, "show", "processes")),
				"it did not come back");
			}
			await until(() => String(counts()) === String(before),
				`${before} became ${counts()}`, 3000);
		});
});
