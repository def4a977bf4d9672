// The audit log as a file of JSON lines: what is in it, and its fate.

import assert from "node:assert/strict";
import { appendFileSync, readFileSync, renameSync, statSync, symlinkSync,
	writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { startTetherd, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { echo, startPage } from "./lib/tunnel.mjs";
import { until } from "./lib/time.mjs";

const OCTOCAT = identity(583231, "octocat");
const FAILED = "reload failed: the old settings stay in force";

// The records of a file, each of which must be a line.
function records(path) {
	let text = "";

	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		if (error.code !== "ENOENT")
			throw error;
	}
	const lines = text.split("\n");
	assert.equal(lines.pop(), "");
	return lines.map((line) => JSON.parse(line));
}

const requests = (path) =>
	records(path).filter((record) => record.event === "request");
const paths = (path) => requests(path).map((record) => record.path);
const has = (file, path) => until(() => paths(file).includes(path),
	`${file} has no ${path}`);

const auditTo = (path, more = "") =>
	`audit {\n\trequests yes\n\tfile "${path}"\n}\n${more}`;

describe("audit file", { concurrency: 4 }, () => {
	scenario("requests, tunnels, people", async (stage) => {
		const file = join(await stage.directory(), "audit");
		const { args } = await startConf(stage, auditTo(file,
			"policy {\n\tusers octocat\n\tdeny path \"/closed\"\n}\n"));
		const { connection, page, tetherd } = await startPage(stage, {
			args, connected: echo });
		const before = Date.now();

		await connection.request({ path: "/a?token=secret-q",
			headers: [...OCTOCAT, ["Authorization", "Bearer secret-h"]],
			method: "POST", body: "secret-b" });
		await connection.request({ path: "/closed/\"x\\",
			headers: OCTOCAT });
		await connection.request({ path: "/m",
			headers: identity(7, "mallory") });
		await connection.request({ path: "/nobody" });
		assert.equal((await page.open("/ws?token=secret-q").opened).t,
			"open");
		await tetherctl(tetherd, "users", "disable", "octocat");
		await until(() => records(file).some((record) =>
			record.event === "operator"), "no operator");

		const of = (path) => requests(file)
			.find((record) => record.path === path);
		const { time, why, ...a } = of("/a");
		assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		assert.ok(Date.parse(time) >= before - 1000, time);
		assert.ok(Date.parse(time) <= Date.now(), time);
		assert.equal(typeof why, "string");
		assert.equal(a.status >= 200 && a.status < 500, true);
		delete a.status;
		assert.deepEqual(a, { event: "request", verdict: "allowed",
			github_id: 583231, login: "octocat", role: "full",
			method: "POST", path: "/a" });
		const closed = requests(file).find((record) =>
			record.path?.startsWith("/closed/"));
		assert.equal(closed.verdict, "refused");
		assert.equal(closed.status, 403);
		assert.equal(closed.why, "this path is closed on this instance");
		const mallory = of("/m");
		assert.equal(mallory.verdict, "refused");
		assert.equal(mallory.login, "mallory");
		assert.ok(!("role" in mallory));
		const nobody = of("/nobody");
		assert.ok(!("github_id" in nobody || "login" in nobody));
		const tunnel = records(file).find((record) =>
			record.event === "tunnel");
		assert.equal(tunnel.path, "/ws");
		assert.equal(tunnel.verdict, "allowed");
		const signIns = records(file)
			.filter((record) => record.event === "sign-in")
			.map(({ login, verdict }) => `${login} ${verdict}`);
		assert.ok(signIns.includes("octocat allowed"), signIns);
		assert.ok(signIns.includes("mallory refused"), signIns);
		assert.ok(!signIns.includes("mallory allowed"), signIns);
		assert.doesNotMatch(readFileSync(file, "utf8"), /secret/);
		assert.equal(statSync(file).mode & 0o7777, 0o640);

		// A line of the log for each, and nothing else in the file.
		await until(() => records(file).length ===
			tetherd.all(/: audit: /).length, "not as many lines");
	});

	scenario("SIGUSR1 opens it anew", async (stage) => {
		const home = await stage.directory();
		const file = join(home, "audit");
		const old = join(home, "old");
		const { args } = await startConf(stage, auditTo(file));
		const { connection, tetherd } =
			await startInstance(stage, { args });

		await connection.request({ path: "/one" });
		await has(file, "/one");
		renameSync(file, old);
		await connection.request({ path: "/two" });
		await has(old, "/two");
		tetherd.signal("SIGUSR1");
		await tetherd.line("status: proxyd: running");
		await connection.request({ path: "/three" });
		await has(file, "/three");
		assert.deepEqual(paths(old), ["/one", "/two"]);
		assert.deepEqual(paths(file), ["/three"]);
		assert.equal(statSync(file).mode & 0o7777, 0o640);

		// It cannot be opened: the old one stays.
		renameSync(file, join(home, "third"));
		symlinkSync(old, file);
		tetherd.signal("SIGUSR1");
		await tetherd.line(`${file}: Too many levels of symbolic links`);
		await connection.request({ path: "/four" });
		await has(join(home, "third"), "/four");
		assert.deepEqual(paths(old), ["/one", "/two"]);
	});

	scenario("a reload names another one, or none", async (stage) => {
		const home = await stage.directory();
		const [one, two] = ["one", "two"].map((name) => join(home, name));
		const conf = await startConf(stage, auditTo(one));
		const { connection, tetherd } =
			await startInstance(stage, { args: conf.args });
		const ask = (path) => connection.request({ path });
		const logged = (path) => tetherd.line(`GET ${path}`);

		await ask("/a");
		await conf.change(auditTo(two), tetherd);
		await ask("/b");
		for (const wrong of [join(home, "no", "such"), home]) {
			await conf.change(auditTo(wrong), tetherd, FAILED);
			await ask("/c");
		}
		// What is staged is dropped if a child refuses the rest.
		const garbage = join(home, "garbage");
		writeFileSync(garbage, "no certificate\n");
		await conf.change(auditTo(join(home, "three"),
			`github { ca file "${garbage}" }\n`), tetherd, FAILED);
		await ask("/d");
		await conf.change("audit { requests yes }\n", tetherd);
		await ask("/e");
		await logged("/e");
		await conf.change(auditTo(one), tetherd);
		await ask("/f");
		await has(one, "/f");
		assert.deepEqual(paths(one), ["/a", "/f"]);
		assert.deepEqual(paths(two), ["/b", "/c", "/c", "/d"]);
		assert.deepEqual(paths(join(home, "three")), []);
	});

	scenario("one that it must not write to", async (stage) => {
		const home = await stage.directory();
		const target = join(home, "target");
		const link = join(home, "link");

		writeFileSync(target, "");
		symlinkSync(target, link);
		for (const [path, why] of [
			[link, "Too many levels of symbolic links"],
			[home, "Is a directory"],
			[join(home, "no", "file"), "No such file or directory"],
		]) {
			const { args } = await startConf(stage, auditTo(path));
			const tetherd = await startTetherd(stage, { args,
				env: { ORCHESTRATOR_MODE: "standalone" } });
			await tetherd.line(`${path}: ${why}`);
			assert.equal((await tetherd.ended()).code, 1);
		}
		assert.equal(readFileSync(target, "utf8"), "");
	});

	scenario("what was there stays there", async (stage) => {
		const file = join(await stage.directory(), "audit");

		appendFileSync(file, "{\"event\":\"request\",\"path\":\"/old\"}\n");
		const { args } = await startConf(stage, auditTo(file));
		const { connection } = await startInstance(stage, { args });
		await connection.request({ path: "/new" });
		await has(file, "/new");
		assert.deepEqual(paths(file), ["/old", "/new"]);
	});
});
