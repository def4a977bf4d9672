// What tetherd reaches once it runs: the folders of the files that its
// settings named when it was started, and no others; and what the kernel says
// of its processes.

import assert from "node:assert/strict";
import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm,
	symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { DONE, FAILED, registered, Site } from "./lib/site.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

const ROOT = process.getuid() === 0;
const rootOnly = { skip: !ROOT && "only root can" };
const othersOnly = { skip: ROOT && "root may read everything" };
const BEYOND =
	"Permission denied (out of reach of a running tetherd: restart it)";
const NOT_ROOTS =
	"Permission denied (a running tetherd may write what is root's only)";

// For Site.refused().
const told = (text) =>
	[new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))];

// A file that takes the place of another one.
async function write(path, text, mode = 0o600) {
	await writeFile(`${path}.new`, text);
	await chmod(`${path}.new`, mode);
	await rename(`${path}.new`, path);
}

// tetherd with its files in folders of their own, none of which is below
// another one; prepare(site) returns settings of its own.
async function start(stage, prepare = () => {}) {
	const here = await Orchestrator.start(stage);
	const site = await Site.make(stage, { url: here.url, port: 1 });
	const directory = await stage.directory();
	site.at = (name) => join(directory, name);
	for (const name of ["tokens", "includes", "elsewhere"])
		await mkdir(site.at(name));
	await write(site.at("tokens/token"), "ao_1_first\n");
	await write(site.at("includes/more.conf"), "# nothing yet\n");
	await write(site.at("elsewhere/token"), "ao_2_second\n");
	await write(site.at("elsewhere/more.conf"), "");
	await write(site.at("elsewhere/ca.pem"), "");
	await site.set({ token: site.at("tokens/token"),
		more: `include "${site.at("includes/more.conf")}"\n`,
		...await prepare(site) });
	await site.start();
	await registered(here);
	return site;
}

describe("a reload reaches", { concurrency: 4 }, () => {
	scenario("files that took the place of others", async (stage) => {
		const site = await start(stage);

		await write(site.at("tokens/token"), "ao_2_second\n");
		await write(site.at("includes/more.conf"),
			"github { api url \"https://github.example/api\" }\n");
		await site.change();
		assert.match(await site.config(), /includes\/more.conf:1/);
	});

	scenario("other files of these folders", async (stage) => {
		const site = await start(stage);

		await mkdir(site.at("includes/below"));
		await write(site.at("includes/below/other.conf"), "");
		await write(site.at("tokens/other"), "ao_2_second\n");
		await site.change({ token: site.at("tokens/other"),
			more: `include "${site.at("includes/below/other.conf")}"` });
		assert.match(await site.config(), /tokens\/other/);
	});

	scenario("what a link leads to", async (stage) => {
		const site = await start(stage, async ({ at }) => {
			await mkdir(at("links"));
			await symlink("../tokens/token", at("links/token"));
			return { token: at("links/token") };
		});

		await write(site.at("tokens/token"), "ao_2_second\n");
		await site.change();
		// Now to where none led at the start.
		await rm(site.at("links/token"));
		await symlink("../elsewhere/token", site.at("links/token"));
		await site.refused(told(`links/token: ${BEYOND}`));
	});

	// As Kubernetes does it.
	scenario("a folder that a link is turned to", async (stage) => {
		const site = await start(stage, async ({ at }) => {
			await mkdir(at("mount"));
			await mkdir(at("mount/..1"));
			await write(at("mount/..1/token"), "ao_1_first\n");
			await symlink("..1", at("mount/..data"));
			await symlink("..data/token", at("mount/token"));
			return { token: at("mount/token") };
		});

		await mkdir(site.at("mount/..2"));
		await write(site.at("mount/..2/token"), "ao_2_second\n");
		await symlink("..2", site.at("mount/..new"));
		await rename(site.at("mount/..new"), site.at("mount/..data"));
		await rm(site.at("mount/..1"), { recursive: true });
		await site.change();
	});
});

describe("a reload does not reach", { concurrency: 4 }, () => {
	scenario("files of other folders", async (stage) => {
		const site = await start(stage);
		const at = (name) => site.at(`elsewhere/${name}`);
		const before = { ...site.settings };

		await eachRow([
			["token file", { token: at("token") },
				`: ${at("token")}: ${BEYOND}`],
			["secret file", { secret: at("token") },
				`: ${at("token")}: ${BEYOND}`],
			["include", { more: `include "${at("more.conf")}"` },
				`: include "${at("more.conf")}": ${BEYOND}`],
			["ca file", { more: `github { ca file "${at("ca.pem")}" }` },
				`: ${at("ca.pem")}: ${BEYOND}`],
			["audit file", { more: `audit { file "${at("audit")}" }` },
				`${at("audit")}: ${BEYOND}`],
			["none", { token: at("none") },
				`: ${at("none")}: No such file or directory`],
		], async ([, settings, why]) => {
			site.settings = { ...before };
			await site.set(settings);
			await site.refused(told(`${why}\n`));
		});
		site.settings = { ...before };
		await site.change();

		// What it says is true.
		await site.tetherd.stop();
		await site.set({ token: at("token") });
		await site.start();
		await site.tetherd.registered();
	});

	scenario("what the user may not read", othersOnly, async (stage) => {
		const site = await start(stage);

		await write(site.at("tokens/token"), "ao_2_second\n", 0);
		await site.refused(told("tokens/token: Permission denied\n"));

		// Nor see where it is.
		await mkdir(site.at("tokens/below"));
		await site.set({ token: site.at("tokens/below/token") });
		await chmod(site.at("tokens"), 0o600);
		await site.refused(told("below/token: Permission denied\n"));
		await chmod(site.at("tokens"), 0o700);
	});
});

// tetherd with a log file, and all that it takes.
async function startLog(stage) {
	const orchestrator = await Orchestrator.start(stage);
	const home = await stage.directory();
	const path = (name) => join(home, name);
	for (const name of ["log", "audit", "env", "conf"])
		await mkdir(path(name));
	await writeFile(path("env/.env"), "ORCHESTRATOR_CLIENT_ID=one\n",
		{ mode: 0o600 });
	const settings = `log { file "${path("log/log")}" }\n` +
		`audit { file "${path("audit/audit")}" }\n`;
	await writeFile(path("conf/tetherd.conf"), settings, { mode: 0o600 });
	if (ROOT)
		await chown(path("env/.env"), 12345, 12345);
	const tetherd = await startTetherd(stage, {
		args: ["-f", path("conf/tetherd.conf"), "-e", path("env/.env")],
		env: { ORCHESTRATOR_URL: orchestrator.url,
			ORCHESTRATOR_CLIENT_ID: undefined },
	});
	const has = (name, text) => until(async () =>
		(await readFile(path(name), "utf8").catch(() => ""))
			.includes(text), `${name} has no ${text}`);
	await has("log/log", "registered with");
	return { tetherd, path, has, settings };
}

describe("logs", { concurrency: 4 }, () => {
	scenario("both are opened anew", async (stage) => {
		const { tetherd, path, has } = await startLog(stage);

		await rename(path("log/log"), path("log/log.1"));
		await rename(path("audit/audit"), path("audit/audit.1"));
		tetherd.signal("SIGUSR1");
		await has("log/log", "status: proxyd");
		assert.deepEqual((await readdir(path("audit"))).sort(),
			["audit", "audit.1"]);
	});

	scenario("others, in the same folders", async (stage) => {
		const { tetherd, path, has, settings } = await startLog(stage);

		await writeFile(path("conf/tetherd.conf"),
			settings.replace("log/log", "log/other")
				.replace("audit/audit", "audit/other"));
		tetherd.signal("SIGHUP");
		await has("log/other", DONE);
		assert.deepEqual((await readdir(path("audit"))).sort(),
			["audit", "other"]);
	});

	scenario("other folders, also those that are read", async (stage) => {
		const { tetherd, path, has, settings } = await startLog(stage);

		await mkdir(path("other"));
		for (const name of ["other/log", "conf/log", "env/log"]) {
			await writeFile(path("conf/tetherd.conf"),
				settings.replace("log/log", name));
			tetherd.signal("SIGHUP");
			await has("log/log", `${path(name)}: ${BEYOND}`);
			assert.deepEqual(await readdir(path("other")), []);
		}
	});

	scenario("folders that took the place of others", async (stage) => {
		const { tetherd, path, has } = await startLog(stage);

		for (const name of ["log", "audit"]) {
			await rename(path(name), path(`${name}.1`));
			await mkdir(path(name));
		}
		tetherd.signal("SIGUSR1");
		// It goes on where it was.
		for (const name of ["log", "audit"])
			await has("log.1/log", `${path(`${name}/${name}`)}: ${BEYOND}`);
		await has("log.1/log", "status: proxyd");
	});

	scenario("another user's file", rootOnly, async (stage) => {
		const { tetherd, path, has } = await startLog(stage);

		await chown(path("audit/audit"), 12345, 12345);
		tetherd.signal("SIGUSR1");
		await has("log/log", `${path("audit/audit")}: ${NOT_ROOTS}`);
		await chown(path("audit/audit"), 0, 0);
	});

	// As root: another user's, that nobody else may read.
	scenario("the .env file is read again", async (stage) => {
		const { tetherd, path, has } = await startLog(stage);

		await writeFile(path("env/new"), "ORCHESTRATOR_CLIENT_ID=two\n",
			{ mode: 0o600 });
		if (ROOT)
			await chown(path("env/new"), 12345, 12345);
		await rename(path("env/new"), path("env/.env"));
		tetherd.signal("SIGHUP");
		await has("log/log", DONE);
		const { stdout } = await tetherctl(tetherd, "show", "config");
		assert.match(stdout, /client id "two"/);
	});

	scenario("an .env file in a new folder", async (stage) => {
		const { tetherd, path, has } = await startLog(stage);

		await rename(path("env"), path("env.1"));
		await mkdir(path("env"));
		await writeFile(path("env/.env"), "ORCHESTRATOR_CLIENT_ID=two\n",
			{ mode: 0o600 });
		tetherd.signal("SIGHUP");
		await has("log/log", `${path("env/.env")}: ${BEYOND}`);
		await has("log/log", FAILED);
	});

	scenario("the control socket is removed at the end", async (stage) => {
		const { tetherd } = await startLog(stage);

		assert.ok((await readdir(tetherd.home)).includes("tetherd.sock"));
		await tetherd.stop();
		assert.ok(!(await readdir(tetherd.home)).includes("tetherd.sock"));
	});
});

// A field of /proc/PID/status, or of limits.
async function look(pid, file, name) {
	const text = await readFile(`/proc/${pid}/${file}`, "utf8");
	const line = text.split("\n").find((l) => l.startsWith(name));
	return line.slice(name.length).trim().split(/\s+/).join(" ");
}

// All processes by their programs, when the dialer has ended.
async function processes(tetherd) {
	const file = `/proc/${tetherd.pid}/task/${tetherd.pid}/children`;
	const all = { tetherd: tetherd.pid };
	await until(async () =>
		(await readFile(file, "utf8")).trim().split(" ").length === 4,
	"not the four that stay");
	for (const pid of (await readFile(file, "utf8")).trim().split(" "))
		all[(await readFile(`/proc/${pid}/comm`, "utf8")).trim()] = pid;
	return all;
}

const FILES = { tetherd: 512, connector: 64, proxyd: 16384, authd: 128 };
const WRITERS = ["tetherd", "launcher", "authd"];
const CAPABILITIES = { tetherd: 0x24n, launcher: 0x400c1n };

describe("processes", { concurrency: 4 }, () => {
	scenario("as the kernel sees them", async (stage) => {
		const site = await start(stage);
		const all = await processes(site.tetherd);

		assert.deepEqual(Object.keys(all).sort(),
			["authd", "connector", "launcher", "proxyd", "tetherd"]);
		for (const [name, pid] of Object.entries(all)) {
			const status = (what) => look(pid, "status", what);
			const limit = (what) => look(pid, "limits", what);

			assert.equal(await status("Seccomp:"), "2", name);
			assert.equal(await status("NoNewPrivs:"), "1", name);
			assert.equal(await status("Umask:"), "0077", name);
			for (const set of ["CapEff:", "CapPrm:"])
				assert.equal(BigInt(`0x${await status(set)}`),
					ROOT ? CAPABILITIES[name] ?? 0n : 0n, name);
			for (const set of ["CapInh:", "CapAmb:"])
				assert.equal(BigInt(`0x${await status(set)}`), 0n, name);
			if (ROOT)
				assert.equal(BigInt(`0x${await status("CapBnd:")}`),
					CAPABILITIES[name] ?? CAPABILITIES.launcher, name);
			assert.equal(await limit("Max core file size"), "0 0 bytes");
			if (name !== "launcher")
				assert.equal(await limit("Max processes"),
					"0 0 processes", name);
			assert.equal(await limit("Max file size"),
				WRITERS.includes(name) ? "unlimited unlimited bytes" :
					"0 0 bytes", name);
			const files = Number((await limit("Max open files"))
				.split(" ")[1]);
			if (name !== "launcher")
				assert.equal(files, Math.min(FILES[name],
					Number((await look("self", "limits",
						"Max open files")).split(" ")[1])), name);
		}
	});

	scenario("who they are", rootOnly, async (stage) => {
		const site = await start(stage, async ({ settings }) => {
			await chown(settings.database, 12345, 54321);
			await chmod(join(settings.database, ".."), 0o755);
		});
		const all = await processes(site.tetherd);
		const uid = async (name) =>
			(await look(all[name], "status", "Uid:")).split(" ");

		for (const name of ["tetherd", "launcher"])
			assert.deepEqual(await uid(name), ["0", "0", "0", "0"]);
		assert.deepEqual(await uid("authd"), Array(4).fill("12345"));
		for (const name of ["connector", "proxyd"]) {
			const [real, ...others] = await uid(name);
			assert.notEqual(real, "0");
			assert.deepEqual(others, [real, real, real]);
			// An empty folder that is gone.
			for (const what of ["root", "cwd"]) {
				const link = `/proc/${all[name]}/${what}`;
				assert.match(await readlink(link), / \(deleted\)$/);
				assert.deepEqual(await readdir(`${link}/`), []);
			}
		}
		for (const name of ["connector", "proxyd", "authd"])
			assert.equal(await look(all[name], "status", "Groups:"), "");
	});

	scenario("a system with few descriptors", async (stage) => {
		const here = await Orchestrator.start(stage);
		const site = await Site.make(stage, { url: here.url, port: 1 });
		site.tetherd = await startTetherd(stage, {
			args: ["-d", "-f", site.path("tetherd.conf")],
			within: ["sh", "-c", 'ulimit -n 800 && exec "$0" "$@"'],
			database: false,
			env: { ORCHESTRATOR_CLIENT_ID: undefined },
		});
		await registered(here);
		assert.deepEqual(site.tetherd.all("limits: "), []);

		await site.change({ limits: ["chat sessions 200"] });
		await site.tetherd.line("tetherd: limits: they add up to 976 " +
			"file descriptors, but the system allows 800 (ulimit -Hn)");
	});
});
