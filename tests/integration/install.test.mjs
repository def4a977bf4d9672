// What make install puts where, that it works there, and that nothing of it is
// left by make uninstall.

import assert from "node:assert/strict";
import { cp, lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { BUILD, programPath, ROOT, run } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const IS_ROOT = process.getuid() === 0;
const MOST_EXPOSURE = 20; // in tenths
const USERS = ["_tetherconn", "_tetherproxy"];
const GROUP = "tetherd";

const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C" };

// Runs it, and wants it to succeed; its standard output.
async function succeed(file, args, options = {}) {
	const done = await run(file, args, { cwd: ROOT, env, ...options });

	assert.equal(done.code, 0, `${file} ${args.join(" ")}\n` +
		`${done.stdout}${done.stderr}`);
	return done.stdout;
}

// What was built is not built again, with or without sanitizers.
const make = (target, variables) => succeed("make", ["-s", "--old-file=all",
	`B=${BUILD}`, ...Object.entries(variables)
		.map(([name, value]) => `${name}=${value}`), target]);

// All files and folders below it, by their paths from there.
async function tree(root) {
	const found = new Map();

	for (const name of await readdir(root, { recursive: true }))
		found.set(name, await lstat(join(root, name)));
	return found;
}

const filesOf = async (root) => [...await tree(root)]
	.filter(([, stat]) => !stat.isDirectory()).map(([name]) => name).sort();

async function install(stage, prefix) {
	const root = await stage.directory();

	await make("install", { DESTDIR: root, PREFIX: prefix });
	return { root, at: (path) => join(root, prefix, path) };
}

describe("files", { concurrency: 2 }, () => {
	for (const prefix of ["/usr/local", "/usr", "/opt/tether"])
		scenario(`below ${prefix}, and removed`, async (stage) => {
			const { root, at } = await install(stage, prefix);

			for (const [name, stat] of await tree(root)) {
				const executable = /\/(s?bin|libexec\/tetherd)\//.test(name);

				assert.ok(!stat.isSymbolicLink(), name);
				assert.equal(stat.mode & 0o7777,
					stat.isDirectory() || executable ? 0o755 : 0o644, name);
				assert.equal(stat.uid, process.getuid(), name);
			}
			for (const name of ["launcher", "connector", "proxyd", "authd",
				"dialer"])
				await lstat(at(`libexec/tetherd/${name}`));
			for (const kind of ["system", "user"]) {
				const unit = await readFile(
					at(`lib/systemd/${kind}/tetherd.service`), "utf8");

				assert.match(unit, new RegExp(
					`^ExecStart=!?${prefix}/sbin/tetherd\\b`, "m"));
				assert.doesNotMatch(unit, /@[A-Z]+@/);
			}
			const page = await readFile(at("share/man/man8/tetherd.8"), "utf8");
			for (const path of ["lib/systemd/system/tetherd.service",
				"lib/systemd/user/tetherd.service",
				"lib/sysusers.d/tetherd.conf", "lib/tmpfiles.d/tetherd.conf"]) {
				await lstat(at(path));
				assert.ok(page.includes(` ${prefix}/${path}\n`), path);
			}
			await readFile(at("share/doc/tetherd/tetherd.conf"));

			// Again, on top of itself; and what others have stays.
			const before = await filesOf(root);
			await make("install", { DESTDIR: root, PREFIX: prefix });
			assert.deepEqual(await filesOf(root), before);
			await mkdir(join(root, "etc"));
			await writeFile(join(root, "etc/tetherd.conf"), "");
			await writeFile(at("libexec/other"), "");
			const said = await make("uninstall",
				{ DESTDIR: root, PREFIX: prefix });
			assert.match(said, /left alone: the users _tetherconn and/);
			assert.deepEqual(await filesOf(root), ["etc/tetherd.conf",
				join(prefix, "libexec/other").slice(1)]);
			await make("uninstall", { DESTDIR: root, PREFIX: prefix });
		});
});

// The unit with a program that is there, which verify looks at.
async function unitFile(stage, kind) {
	const { root, at } = await install(stage, "/usr");
	const path = join(root, "tetherd.service");
	const unit = await readFile(at(`lib/systemd/${kind}/tetherd.service`),
		"utf8");

	await writeFile(path, unit.replace("/usr/sbin/tetherd",
		programPath("tetherd")).replace(/^Documentation=.*\n/m, ""));
	return path;
}

describe("units", { concurrency: 2 }, () => {
	for (const kind of ["system", "user"])
		scenario(`of the ${kind}: nothing is wrong`, async (stage) => {
			const runtime = await stage.directory();
			const { code, stderr } = await run("systemd-analyze",
				[`--${kind}`, "verify", await unitFile(stage, kind)],
				{ env: { ...env, HOME: runtime,
					XDG_RUNTIME_DIR: runtime } });

			assert.equal(stderr, "");
			assert.equal(code, 0);
		});

	scenario("the system's is not exposed", async (stage) => {
		const unit = await unitFile(stage, "system");
		const rate = async () => Number(/exposure level .*: ([\d.]+)/
			.exec((await run("systemd-analyze", ["--no-pager", "security",
				"--offline=true", `--threshold=${MOST_EXPOSURE}`, unit],
			{ env })).stdout)[1]);

		assert.ok(await rate() * 10 <= MOST_EXPOSURE, `${await rate()}`);
		// It is this unit that is rated.
		await writeFile(unit, (await readFile(unit, "utf8"))
			.replace(/^NoNewPrivileges.*\n/m, ""));
		assert.ok(await rate() * 10 > MOST_EXPOSURE);
	});
});

// systemd's sets of system calls, by their names.
async function callSets() {
	const sets = new Map();
	let set;

	for (const line of (await succeed("systemd-analyze",
		["--no-pager", "syscall-filter"])).split("\n")) {
		const word = line.trim();

		if (line.startsWith("@"))
			sets.set(word, set = []);
		else if (word !== "" && !word.startsWith("#"))
			set?.push(word);
	}
	return sets;
}

// What a unit's filter allows.
async function allowed(unit) {
	const sets = await callSets();
	const calls = (word) => !word.startsWith("@") ? [word] :
		sets.get(word).flatMap(calls);
	const result = new Set(calls("@default"));

	for (const [, not, list] of
		unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm))
		for (const call of list.split(" ").flatMap(calls))
			result[not === "" ? "add" : "delete"](call);
	return result;
}

// What the processes' own filters allow; libc has another for setrlimit, and
// does without mseal, which is younger than some systemd.
async function wanted() {
	const result = new Set();

	for (const name of await readdir(join(ROOT, "sandbox")))
		if (name.startsWith("calls_"))
			for (const [, call] of (await readFile(
				join(ROOT, "sandbox", name), "utf8"))
				.matchAll(/\bALLOW(?:_IF)?\((\w+)/g))
				result.add(call);
	result.delete("setrlimit");
	result.delete("mseal");
	assert.ok(result.size > 80);
	return [...result];
}

describe("the units' filters allow what ours do", () => {
	for (const [file, except] of [["tetherd.service", []],
		["tetherd-user.service", ["chroot"]]])
		scenario(file, async () => {
			const calls = await allowed(await readFile(
				join(ROOT, "etc", file), "utf8"));

			assert.deepEqual((await wanted())
				.filter((call) => !calls.has(call)), except);
			for (const call of ["ptrace", "mount", "bpf", "init_module",
				"reboot", "keyctl", "add_key", "io_uring_setup",
				"perf_event_open", "userfaultfd"])
				assert.ok(!calls.has(call), call);
		});
});

const words = async (path) => (await readFile(path, "utf8")).split("\n")
	.filter((line) => line !== "").map((line) => line.split(":"));

async function assertUsers(etc) {
	const users = await words(join(etc, "passwd"));
	const ids = new Set();

	for (const name of USERS) {
		const found = users.filter(([user]) => user === name);

		assert.equal(found.length, 1, name);
		assert.match(found[0][6], /nologin$/);
		assert.ok(Number(found[0][2]) > 0 && Number(found[0][2]) < 1000);
		ids.add(found[0][2]);
	}
	assert.equal(ids.size, USERS.length);
	assert.equal((await words(join(etc, "group")))
		.filter(([group]) => group === GROUP).length, 1);
}

describe("users and folders", () => {
	scenario("what is in sysusers.d and tmpfiles.d",
		{ skip: !IS_ROOT && "only root may make users" }, async (stage) => {
			const { root } = await install(stage, "/usr");
			const mode = async (path) =>
				(await lstat(join(root, path))).mode & 0o7777;

			await mkdir(join(root, "etc"));
			for (let i = 0; i < 2; i++) {
				await succeed("systemd-sysusers", [`--root=${root}`]);
				await succeed("systemd-tmpfiles",
					[`--root=${root}`, "--create", "tetherd.conf"]);
			}
			await assertUsers(join(root, "etc"));
			assert.equal(await mode("run/tetherd"), 0o755);
			assert.equal(await mode("var/lib/tetherd"), 0o700);
			assert.equal(await mode("var/log/tetherd"), 0o750);
			assert.equal(await mode("etc/tetherd"), 0o700);
		});

	scenario("what is in sysusers.d can be read", async (stage) => {
		const { at } = await install(stage, "/usr");

		assert.match(await succeed("systemd-sysusers",
			["--dry-run", at("lib/sysusers.d/tetherd.conf")])
			+ (await run("systemd-sysusers", ["--dry-run",
				at("lib/sysusers.d/tetherd.conf")], { env })).stderr,
		/^(?!.*(?:ignoring|[Ff]ailed|[Ii]nvalid))/s);
	});

	// In a namespace with folders of its own, so that this host stays as it is.
	for (const how of ["systemd-sysusers", "useradd"])
		scenario(`make install as root makes them by ${how}`,
			{ skip: !IS_ROOT && "only root may make users" },
			async (stage, t) => {
				const place = await stage.directory();
				const prefix = join(place, "prefix");

				if ((await run("unshare", ["-m", "true"], { env })).code !== 0) {
					t.skip("no mounting in namespaces here");
					return;
				}
				for (const dir of ["etc", "run", "lib", "log", "prefix", "bin"])
					await mkdir(join(place, dir));
				for (const name of ["passwd", "group", "login.defs", "shells",
					"nsswitch.conf", "ld.so.cache", "alternatives"])
					await cp(join("/etc", name), join(place, "etc", name),
						{ recursive: true, verbatimSymlinks: true })
						.catch(() => {});
				for (const name of ["passwd", "group"]) {
					const path = join(place, "etc", name);
					const text = await readFile(path, "utf8");
					await writeFile(path,
						text.replace(/^_?tether\w+:.*\n/gm, ""));
				}
				const script = `set -e; cd "$1"
mount --bind "$2/etc" /etc
mount --bind "$2/run" /run
mount --bind "$2/lib" /var/lib
mount --bind "$2/log" /var/log
if [ "$3" != systemd-sysusers ]; then
	: >"$2/none"
	mount --bind "$2/none" "$(readlink -f "$(command -v systemd-sysusers)")"
fi
make -s --old-file=all B="$4" PREFIX="$2/prefix" install
`;
				const again = () => succeed("unshare", ["-m", "sh", "-c",
					script, "sh", ROOT, place, how, BUILD]);
				const said = await again();

				for (const name of [...USERS, GROUP])
					assert.match(said,
						new RegExp(`^tetherd: ${name}: made$`, "m"));
				assert.match(said, /^tetherd: \/var\/lib\/tetherd: made$/m);
				await assertUsers(join(place, "etc"));
				assert.equal((await lstat(join(place, "lib/tetherd"))).mode &
					0o7777, 0o700);
				await lstat(join(prefix, "sbin/tetherd"));
				const before = await readFile(join(place, "etc/passwd"), "utf8");
				assert.doesNotMatch(await again(), /: made/);
				assert.equal(await readFile(join(place, "etc/passwd"), "utf8"),
					before);
			});
});

// What the manager is told by that process.
const told = (manager, pid, text, from = 0) =>
	manager.line(`${pid}: ${text}`, { from });

describe("where it was installed", { concurrency: 2 }, () => {
	for (const abstract of [false, true])
		scenario(`it works, for a service manager at ${abstract
			? "an abstract name" : "a path"}`, async (stage) => {
			const { at } = await install(stage, "/opt/tether");
			const socket = join(await stage.directory(), "notify");
			const name = abstract ? `@${socket}` : socket;
			const manager = stage.start("manager", programPath("manager"),
				[name]);
			await manager.line("listening");
			const conf = await startConf(stage, "");
			const { tetherd, connection } = await startInstance(stage, {
				program: at("sbin/tetherd"),
				args: conf.args,
				handle: (req, res) => res.end(req.url),
				env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: "400000" },
			});
			const answer = await connection.request({ path: "/x",
				headers: identity(1, "mona") });

			assert.equal(answer.status, 200);
			await told(manager, tetherd.pid, "READY=1");
			await told(manager, tetherd.pid, "WATCHDOG=1");
			tetherd.signal("SIGHUP");
			await told(manager, tetherd.pid,
				"RELOADING=1|MONOTONIC_USEC=");
			await told(manager, tetherd.pid, "READY=1|STATUS=");
			await tetherd.line("settings reloaded");
			await conf.change("nonsense\n", tetherd, "reload failed");
			await told(manager, tetherd.pid,
				"READY=1|STATUS=reload failed: the old settings stay");
			const from = manager.lines.length;
			await told(manager, tetherd.pid, "WATCHDOG=1", from);
			tetherd.signal("SIGTERM");
			assert.deepEqual(await tetherd.ended(), { code: 0, signal: null });
			await told(manager, tetherd.pid, "STOPPING=1");
			assert.deepEqual(tetherd.all("NOTIFY_SOCKET"), []);
			// Only the parent speaks to it.
			for (const line of manager.all(/^\d+: /))
				assert.ok(line.startsWith(`${tetherd.pid}: `), line);
		});

	scenario("a service manager that goes away is missed once", async (stage) => {
		const { at } = await install(stage, "/opt/tether");
		const socket = join(await stage.directory(), "notify");
		const manager = stage.start("manager", programPath("manager"), [socket]);
		await manager.line("listening");
		const { tetherd, connection } = await startInstance(stage, {
			program: at("sbin/tetherd"),
			handle: (req, res) => res.end(req.url),
			env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "100000" },
		});

		await told(manager, tetherd.pid, "WATCHDOG=1");
		await manager.stop();
		await tetherd.line("NOTIFY_SOCKET: Connection refused");
		tetherd.signal("SIGHUP");
		await tetherd.line("settings reloaded");
		assert.equal((await connection.request({ path: "/x",
			headers: identity(1, "mona") })).status, 200);
		assert.equal(tetherd.all("NOTIFY_SOCKET").length, 1);
	});
});
