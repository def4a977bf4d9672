// Whether the instance is idle, active or busy, as the orchestrator sees it.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { sql } from "./lib/database.mjs";
import { endRun, startFakeApp } from "./lib/fake-app.mjs";
import { startInstance } from "./lib/instance.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { makeHandle, Page } from "./lib/tunnel.mjs";

const KINDS = ["new", "old"];
const FAILS = "what runs at the web app cannot be asked:";
const AGAIN = "the web app says again what runs";

const json = JSON.stringify;
const send = {
	new: (sessionId) => json({ type: "chat.send", sessionId, content: "hi" }),
	old: (sessionId) => json({ type: "claude-command", command: "hi",
		options: { sessionId } }),
};

const status = async ({ connection }, wanted, timeout) =>
	assert.equal((await connection.receive("status_update", timeout)).status,
		wanted);

const quiet = ({ connection }) => assert.equal(connection.messages.items
	.filter(({ type }) => type === "status_update").length, 0);

async function runsOf({ tetherd }) {
	const { stdout } = await tetherctl(tetherd, "show", "status");
	return /^ *runs:? +(.*)$/m.exec(stdout)?.[1]; // none while it starts
}

async function asks(app, times = 1) {
	const before = app.asked;
	await until(() => app.asked >= before + times, "it is not asked", 40000);
}

// An instance in front of a fake app that somebody has set up.
async function start(stage, options = {}, { watch = "yes", policy = "" } = {}) {
	const app = await startFakeApp(stage, options);
	const conf = await startConf(stage,
		`upstream {\n\tport ${app.port}\n\twatch runs ${watch}\n}\n${policy}`);
	const instance = await startInstance(stage, { args: conf.args,
		upstream: () => app, env: { PORT: undefined } });
	await sql(instance.tetherd.database, "INSERT INTO users " +
		"(username, password_hash) VALUES ('ada', '-')");
	return { ...instance, app, conf };
}

async function openChat({ connection }) {
	const page = new Page(connection);
	page.handle = await makeHandle({ connection });
	const chat = page.open("/ws");
	assert.equal((await chat.opened).t, "open");
	return chat;
}

describe("activity", { concurrency: 4 }, () => {
	for (const kind of KINDS)
		scenario(`idle, active, busy and back: ${kind} app`, async (stage) => {
			const all = await start(stage, { kind, late: 1500 });
			const { app, connection } = all;

			assert.equal(connection.register.metadata.status, "idle");
			const chat = await openChat(all);
			await status(all, "active");
			await asks(app);
			await chat.send(send[kind]("s-1"));
			await status(all, "busy");
			// It is listed, and still is after that was late.
			await until(() => app.runs.size === 1, "nothing runs");
			await asks(app, 2);
			assert.match(await runsOf(all), /^1 \(asked: (cloudcli|claude-code-ui)\)$/);
			quiet(all);
			endRun(app, "s-1");
			await status(all, "active");
			await chat.close(1000, "");
			await status(all, "idle");
			quiet(all);
			assert.match(await runsOf(all), /^none \(asked: /);
		});

	for (const kind of KINDS)
		scenario(`a run goes on without its page: ${kind} app`, async (stage) => {
			const all = await start(stage, { kind });
			const chat = await openChat(all);
			await status(all, "active");
			await chat.send(send[kind]("s-1"));
			await status(all, "busy");
			await until(() => all.app.runs.size === 1, "nothing runs");
			await chat.close(1000, "");
			await asks(all.app, 2);
			quiet(all);
			all.app.runs.clear();
			await status(all, "idle", 40000);
		});

	for (const kind of KINDS)
		scenario(`a run that nobody here began: ${kind} app`, async (stage) => {
			const all = await start(stage, { kind });
			const chat = await openChat(all); // so that it is soon
			await status(all, "active");
			await until(async () => /asked:/.test(await runsOf(all)),
				"it was not asked");
			all.app.runs.set("direct", null);
			await status(all, "busy");
			await chat.close(1000, "");
			await asks(all.app, 1);
			quiet(all);
			all.app.runs.clear();
			await status(all, "idle");
		});

	scenario("a refused tunnel is no use", async (stage) => {
		const all = await start(stage);
		const page = new Page(all.connection);
		page.handle = await makeHandle(all);
		const { reason } = await page.open("/ws", { handle: "x" }).opened;
		assert.match(reason, /^403/);
		await page.open("//x").opened;
		const chat = await openChat(all);
		await status(all, "active");
		await chat.close(1000, "");
		await status(all, "idle");
		quiet(all);
	});

	scenario("a command on another socket begins nothing", async (stage) => {
		const all = await start(stage, {}, { watch: "no" });
		const page = new Page(all.connection);
		page.handle = await makeHandle(all);
		const other = page.open("/other");
		await other.opened;
		await status(all, "active");
		await other.send(send.new("s-1"));
		await until(() => all.app.runs.size === 1, "it did not arrive");
		quiet(all);
		assert.equal(await runsOf(all), "none (from traffic)");
	});

	scenario("a command of who may only look begins nothing", async (stage) => {
		const all = await start(stage, {}, { watch: "no",
			policy: "policy { read-only users { octocat } }\n" });
		const chat = await openChat(all);
		await status(all, "active");
		await chat.send(send.new("s-1"));
		await chat.denied.next();
		quiet(all);
		assert.equal(await runsOf(all), "none (from traffic)");
	});

	for (const kind of KINDS)
		scenario(`without asking: ${kind} app`, async (stage) => {
			const all = await start(stage, { kind }, { watch: "no" });
			const { app, tetherd, conf } = all;
			const chat = await openChat(all);
			await status(all, "active");
			assert.equal(await runsOf(all), "none (from traffic)");
			await chat.send(send[kind]("s-1"));
			await status(all, "busy");
			assert.equal(await runsOf(all), "1 (from traffic)");
			await until(() => app.runs.size === 1, "nothing runs");
			endRun(app, "s-1");
			await status(all, "active");
			assert.equal(app.asked, 0);

			app.runs.set("direct", null);
			await conf.change(`upstream { port ${app.port} }\n`, tetherd);
			await status(all, "busy");
			assert.notEqual(app.asked, 0);
		});

	scenario("another upstream, where nothing runs", async (stage) => {
		const all = await start(stage);
		const other = await startFakeApp(stage, { kind: "old" });
		all.app.runs.set("direct", null);
		await openChat(all);
		await status(all, "active");
		await status(all, "busy");
		await all.conf.change(`upstream { port ${other.port} }\n`, all.tetherd);
		const after = (await all.connection.receive("status_update")).status;
		if (after !== "idle") // the tunnel went last
			await status(all, "idle");
		await asks(other);
		assert.equal(all.app.upstream.open, 0);
		await until(async () =>
			await runsOf(all) === "none (asked: claude-code-ui)", "not asked");
		other.runs.set("direct", null);
		await openChat(all);
		await status(all, "active");
		await status(all, "busy");
	});

	scenario("the app comes back as the other kind", async (stage) => {
		const all = await start(stage, { kind: "old" });
		const { app, tetherd } = all;
		const chat = await openChat(all);
		await status(all, "active");
		await asks(app);
		app.kind = "new";
		app.runs.set("direct", null);
		for (const ws of app.pages)
			ws.terminate();
		await chat.closed;
		await status(all, "idle");
		await status(all, "busy");
		assert.equal(await runsOf(all), "1 (asked: cloudcli)");
		app.kind = "old";
		app.runs.clear();
		await status(all, "idle", 40000);
		assert.equal(await runsOf(all), "none (asked: claude-code-ui)");
		assert.deepEqual(tetherd.all(FAILS), []);
	});

	scenario("the app is not there for a while", async (stage) => {
		const all = await start(stage);
		const { app, tetherd, connection } = all;
		await openChat(all);
		await status(all, "active");
		app.runs.set("direct", null);
		await status(all, "busy");
		await app.close();
		await tetherd.line(FAILS);
		await status(all, "idle");
		assert.match(await runsOf(all), /^unknown: the web app cannot/);
		await until(async () => (await connection.request()).status === 502,
			"it is there");
		assert.equal(tetherd.all(FAILS).length, 1);
	});

	scenario("proxyd dies, and what runs does not", async (stage) => {
		const all = await start(stage);
		const { app, tetherd } = all;
		await openChat(all);
		await status(all, "active");
		app.runs.set("direct", null);
		await status(all, "busy");
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		await until(async () => await runsOf(all) === "1 (asked: cloudcli)",
			"it is not asked");
		quiet(all);
		app.runs.clear();
		await status(all, "idle");
	});

	const million = json({ success: true, data: {
		sessions: Array(20000).fill({ sessionId: "x".repeat(40) }) } });
	const deep = `{"data":${"[".repeat(100000)}${"]".repeat(100000)}}`;
	const LIES = [
		["a million sessions", { answer: () => million },
			/the web app says too much/],
		["deep JSON", { answer: () => deep, lists: () => null },
			/no answer in time/],
		["no JSON, and a deaf socket", { answer: () => "{{{", lists: () => null },
			/no answer in time/],
		["no JWT is good enough", { refuses: 401 },
			/refuses the user that asks/],
		["a refusal of the old app", { kind: "old", refuses: 418 },
			/no web app that is known/],
		["it hangs", { silent: true }, /no answer in time/],
		["an old app that lists a million", { kind: "old", lists: () => json({
			type: "active-sessions",
			sessions: { claude: Array(100000).fill("abcdefgh") } }) },
			/no answer in time/],
	];
	for (const [name, options, wanted] of LIES)
		scenario(`an app that lies: ${name}`, async (stage) => {
			const all = await start(stage, options);
			const { app, tetherd } = all;
			const chat = app.refuses || app.silent
				? null : await openChat(all);
			if (chat !== null)
				await status(all, "active");
			const line = await tetherd.line(FAILS, { timeout: 60000 });
			assert.match(line, /users yet/.test(line) ? /./ : wanted);
			await until(async () => wanted.test(await runsOf(all)),
				"it is not said", 45000);
			assert.match(await runsOf(all), /^unknown: /);
			quiet(all);
			assert.equal(tetherd.all(FAILS).length, 1);
			for (const what of ["answer", "lists", "refuses", "silent"])
				delete app[what];
			app.runs.set("direct", null);
			await tetherd.line(AGAIN, { timeout: 45000 });
			await status(all, "busy");
		});

	scenario("many sessions, some of which cannot be named", async (stage) => {
		const all = await start(stage, { answer: () => json({ data: { sessions: [
			...Array.from({ length: 300 }, (_, i) => ({ sessionId: `s${i}` })),
			{}, null, 7, { sessionId: "x".repeat(1000) }] } }) });
		await openChat(all);
		await status(all, "active");
		await status(all, "busy");
		assert.equal(await runsOf(all), "304 (asked: cloudcli)");
	});

	scenario("an old app that floods its sockets", async (stage) => {
		const all = await start(stage, { kind: "old" });
		const { app } = all;
		await openChat(all);
		await status(all, "active");
		await asks(app);
		const update = json({ type: "projects_updated",
			projects: "x".repeat(3 << 20) });
		for (const ws of app.pages)
			for (let i = 0; i < 10; i++)
				ws.send(update);
		app.runs.set("direct", null);
		await status(all, "busy");
	});

	scenario("many events, few questions", async (stage) => {
		const all = await start(stage);
		const { app } = all;
		const chat = await openChat(all);
		await status(all, "active");
		const before = app.asked;
		const begin = Date.now();
		for (let i = 0; i < 500; i++)
			await chat.send(send.new(`s${i}`));
		await status(all, "busy");
		await until(() => app.runs.size === 500, "they did not arrive");
		await asks(app, 1);
		const allowed = (Date.now() - begin) / 200 + 2;
		assert.ok(app.asked - before <= allowed,
			`${app.asked - before} questions, not ${allowed}`);
	});

	scenario("nobody asks without a connection", async (stage) => {
		const all = await start(stage);
		const { app, connection, orchestrator, tetherd } = all;
		await openChat(all);
		await status(all, "active");
		await asks(app);
		orchestrator.options.admit = () => "503 No";
		connection.ws.terminate();
		await until(async () => /no connection/.test(await runsOf(all)),
			"it does not know");
		const { asked } = app;
		app.runs.set("direct", null);
		await orchestrator.refused.next();
		await orchestrator.refused.next();
		assert.ok(app.asked <= asked + 1);
		delete orchestrator.options.admit;
		const next = await orchestrator.registered();
		await status({ connection: next }, "busy");
		assert.deepEqual(tetherd.all(FAILS), []);
	});
});
