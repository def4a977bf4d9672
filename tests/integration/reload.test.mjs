// SIGHUP: what changes, what stays, and what happens when it cannot be.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { identity, Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];
const FAILED = "reload failed: the old settings stay in force";
const DONE = "settings reloaded";

const ada = identity(7, "ada");
const bob = identity(8, "bob");

const pids = (tetherd) => CHILDREN.map(tetherd.childPid);

// An instance with these settings in its file of -e, and none of them in the
// environment.
async function startWithFile(stage, settings, options = {}) {
	const file = join(await stage.directory(), "env");
	const write = (values) => writeFile(file, Object.entries(values)
		.map(([name, value]) => `${name}=${value}\n`).join(""));
	await write(settings);
	const env = Object.fromEntries(
		Object.keys(settings).map((name) => [name, undefined]));
	const instance = await startInstance(stage, {
		args: ["-d", "-v", "-e", file],
		handle: (req, res) => res.end("old"),
		...options,
		env: { ...env, ...options.env },
	});
	return { ...instance, file, write };
}

// SIGHUP, and wait for that line.
async function reload(tetherd, line = DONE) {
	const from = tetherd.lines.length;
	tetherd.signal("SIGHUP");
	return tetherd.line(line, { from });
}

// Requests without a pause until stop(), which returns all answers.
function load(ask, n = 4) {
	const answers = [];
	let on = true;
	const worker = async () => {
		while (on)
			answers.push(await ask());
	};
	const workers = Array.from({ length: n }, worker);
	return {
		answers,
		stop: async () => {
			on = false;
			await Promise.all(workers);
			return answers;
		},
	};
}

// Until so many more answers came.
const more = ({ answers }, n = 40) => {
	const wanted = answers.length + n;
	return until(() => answers.length >= wanted, "no more answers");
};

const statuses = (answers) =>
	[...new Set(answers.map(({ status }) => status))].sort();

// Stopped until the test is over, or the function is called.
function hold(stage, pid) {
	const go = () => {
		try {
			process.kill(pid, "SIGCONT");
		} catch {
			// It is gone already.
		}
	};
	process.kill(pid, "SIGSTOP");
	stage.atEnd(go);
	return go;
}

describe("reload", { concurrency: 4 }, () => {
	scenario("who is let in, under load", async (stage) => {
		const { tetherd, connection, write } = await startWithFile(stage,
			{ ORCHESTRATOR_GITHUB_USERS: "ada,bob" });
		const before = pids(tetherd);
		const asked = load(() => connection.request({ headers: ada }));
		const status = async () =>
			(await connection.request({ headers: bob })).status;

		await more(asked);
		assert.equal(await status(), 200);
		await write({ ORCHESTRATOR_GITHUB_USERS: "ada" });
		await reload(tetherd);
		await until(async () => await status() === 403,
			"bob is still let in");
		await more(asked);
		await write({ ORCHESTRATOR_GITHUB_USERS: "ada bob" });
		await reload(tetherd);
		await until(async () => await status() === 200,
			"bob is still kept out");
		await more(asked);
		assert.deepEqual(statuses(await asked.stop()), [200]);
		assert.deepEqual(pids(tetherd), before);
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("the port of the upstream, under load", async (stage) => {
		const first = await startUpstream(stage,
			(req, res) => res.end("first"));
		const second = await startUpstream(stage,
			(req, res) => res.end("second"));
		const { tetherd, connection, write } = await startWithFile(stage,
			{ PORT: first.port });
		const asked = load(() => connection.request());

		await more(asked);
		await write({ PORT: second.port });
		await reload(tetherd);
		await until(() => second.requests.length > 0,
			"nothing came to the second one");
		await more(asked);
		const answers = await asked.stop();
		assert.deepEqual(statuses(answers), [200]);
		assert.equal(answers[0].bytes.toString(), "first");
		assert.equal(answers.at(-1).bytes.toString(), "second");
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("the orchestrator: what is under way is answered first",
		async (stage) => {
			const first = await Orchestrator.start(stage);
			const second = await Orchestrator.start(stage);
			const ends = [];
			const upstream = await startUpstream(stage,
				(req, res) => ends.push(() => res.end("x")));
			const file = join(await stage.directory(), "env");
			await writeFile(file, `ORCHESTRATOR_URL=${first.url}\n`);
			const tetherd = await startTetherd(stage, {
				args: ["-d", "-v", "-e", file],
				env: { PORT: String(upstream.port) },
			});
			const connection = await first.registered();
			const slow = connection.request();
			await until(() => ends.length > 0, "no request");
			const before = pids(tetherd);

			await writeFile(file, `ORCHESTRATOR_URL=${second.url}\n`);
			await reload(tetherd);
			ends[0]();
			assert.equal((await slow).status, 200);
			assert.equal((await connection.closed).code, 1000);
			const next = await second.registered();
			const asked = next.request();
			await until(() => ends.length > 1, "no request");
			ends[1]();
			assert.equal((await asked).bytes.toString(), "x");
			assert.deepEqual(pids(tetherd), before);
		});

	scenario("the client's name", async (stage) => {
		const { orchestrator, tetherd, connection, write } =
			await startWithFile(stage,
				{ ORCHESTRATOR_CLIENT_ID: "one" });
		const before = pids(tetherd);

		await write({ ORCHESTRATOR_CLIENT_ID: "two" });
		await reload(tetherd);
		assert.equal((await connection.closed).code, 1000);
		const next = await orchestrator.registered();
		assert.equal(next.register.client_id, "two");
		assert.equal((await next.request()).status, 200);
		assert.deepEqual(pids(tetherd), before);
	});

	scenario("the token", async (stage) => {
		const { orchestrator, tetherd, write } =
			await startWithFile(stage, { ORCHESTRATOR_TOKEN: "ao_1" });
		const before = pids(tetherd);

		await write({ ORCHESTRATOR_TOKEN: "ao_2" });
		await reload(tetherd);
		const next = await orchestrator.registered();
		assert.equal(next.register.user_token, "ao_2");
		assert.deepEqual(pids(tetherd), before);
	});

	scenario("a broken file changes nothing", async (stage) => {
		const { tetherd, connection, write, file } = await startWithFile(
			stage, { ORCHESTRATOR_GITHUB_USERS: "ada" });
		const before = pids(tetherd);
		const asked = load(() => connection.request({ headers: ada }));

		await write({ ORCHESTRATOR_GITHUB_USERS: "bob", PORT: "none" });
		await reload(tetherd, FAILED);
		await tetherd.line(`${file}:2: PORT: `);
		await more(asked);
		assert.deepEqual(statuses(await asked.stop()), [200]);
		assert.equal((await connection.request({ headers: bob })).status,
			403);
		assert.deepEqual(pids(tetherd), before);
		assert.deepEqual(tetherd.all(DONE), []);
	});

	scenario("a process that does not answer", async (stage) => {
		const { tetherd, connection, write } = await startWithFile(stage,
			{ ORCHESTRATOR_GITHUB_USERS: "ada" });
		const before = pids(tetherd);
		const go = hold(stage, tetherd.childPid("proxyd"));
		const start = Date.now();

		await write({ ORCHESTRATOR_GITHUB_USERS: "bob" });
		await reload(tetherd, FAILED);
		assert.ok(Date.now() - start >= 9900, "too early");
		await tetherd.line("reload: proxyd did not answer within 10 s");
		assert.equal(tetherd.all("did not answer").length, 1);
		go();
		for (const [who, status] of [[ada, 200], [bob, 403]])
			assert.equal((await connection.request({
				headers: who })).status, status);
		await reload(tetherd);
		for (const [who, status] of [[ada, 403], [bob, 200]])
			await until(async () => (await connection.request({
				headers: who })).status === status, "old rules");
		assert.deepEqual(pids(tetherd), before);
	});

	scenario("a process that dies meanwhile", async (stage) => {
		const { tetherd, connection, write } = await startWithFile(stage,
			{ ORCHESTRATOR_GITHUB_USERS: "ada" });
		const authd = tetherd.childPid("authd");

		hold(stage, authd);
		await write({ ORCHESTRATOR_GITHUB_USERS: "bob" });
		await reload(tetherd, "reload: configuration read");
		process.kill(authd, "SIGKILL");
		await tetherd.line(FAILED);
		await tetherd.line("reload: authd died");
		await until(() => tetherd.childPid("authd") !== authd,
			"no new authd");
		// Those that have it dropped it, and the new one never got it.
		await until(async () => (await connection.request({
			headers: ada })).status === 200, "ada is kept out");
		assert.equal((await connection.request({
			headers: bob })).status, 403);
		assert.equal(tetherd.all("registered with").length, 1);
		await reload(tetherd);
		await until(async () => (await connection.request({
			headers: bob })).status === 200, "bob is kept out");
	});

	scenario("one after the other", async (stage) => {
		const { orchestrator, tetherd, write } = await startWithFile(stage,
			{ ORCHESTRATOR_CLIENT_ID: "zero" });
		const go = hold(stage, tetherd.childPid("authd"));

		await write({ ORCHESTRATOR_CLIENT_ID: "one" });
		await reload(tetherd, "reload: configuration read");
		const from = tetherd.lines.length;
		await write({ ORCHESTRATOR_CLIENT_ID: "two" });
		for (let i = 0; i < 10; i++)
			tetherd.signal("SIGHUP");
		go();
		await tetherd.line("reload: configuration read", { from });
		await until(() => tetherd.all(DONE).length >= 2, "only one");
		for (let id = ""; id !== "two";)
			id = (await orchestrator.registered()).register.client_id;
		assert.deepEqual(tetherd.all(FAILED), []);
	});

	scenario("right after the start", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const tetherd = await startTetherd(stage,
			{ env: { ORCHESTRATOR_URL: orchestrator.url } });

		await tetherd.line("tetherd: startup: ");
		tetherd.signal("SIGHUP");
		await tetherd.line(DONE);
		await orchestrator.registered();
		assert.ok(tetherd.lines.findIndex((l) => l.includes(DONE)) >
			tetherd.lines.findIndex((l) =>
				l.includes("startup complete")), "too early");
		assert.deepEqual(tetherd.all(FAILED), []);
		for (const name of CHILDREN)
			assert.equal(tetherd.all(`${name}: started`).length, 1);
	});

	scenario("the end comes first", async (stage) => {
		const { tetherd, write } = await startWithFile(stage,
			{ ORCHESTRATOR_CLIENT_ID: "one" });
		const go = hold(stage, tetherd.childPid("authd"));

		await write({ ORCHESTRATOR_CLIENT_ID: "two" });
		await reload(tetherd, "reload: configuration read");
		tetherd.signal("SIGTERM");
		await tetherd.line("reload: tetherd is stopping");
		await tetherd.line(FAILED);
		tetherd.signal("SIGHUP");
		go();
		assert.equal((await tetherd.ended()).code, 0);
		assert.deepEqual(tetherd.all(DONE), []);
	});
});

describe("log levels", { concurrency: 4 }, () => {
	const start = async (stage, flags) => {
		const { tetherd, connection } = await startInstance(stage,
			{ args: ["-d", ...flags], handle: (req, res) => res.end() });
		await connection.request();
		return tetherd;
	};

	scenario("-vv: each message between the processes", async (stage) => {
		const tetherd = await start(stage, ["-vv"]);
		await tetherd.line("tetherd: > MSG_HELLO to connector, id 0, " +
			"4 bytes");
		await tetherd.line(/: connector\[\d+\]: > MSG_REQUEST to proxyd/);
		await tetherd.line(/: proxyd\[\d+\]: < MSG_REQUEST from connector/);
	});

	scenario("-v: none of them", async (stage) => {
		const tetherd = await start(stage, ["-v"]);
		assert.deepEqual(tetherd.all(/[<>] MSG_/), []);
	});
});
