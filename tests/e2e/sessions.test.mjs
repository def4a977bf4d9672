// Chat sessions of browsers at the orchestrator, with the real apps.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { Browser } from "../integration/lib/chat.mjs";
import { startConf } from "../integration/lib/conf-file.mjs";
import { sql } from "../integration/lib/database.mjs";
import { startGithub } from "../integration/lib/github.mjs";
import { startBrowser } from "../integration/lib/hub-peer.mjs";
import { startInstance } from "../integration/lib/instance.mjs";
import { CLIENT, SECRET, startAll } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { deadline, Queue, until } from "../integration/lib/time.mjs";
import { startApp } from "./lib/apps.mjs";
import { command, createSession, furnishFor, tokenOf } from
	"./lib/slow-runs.mjs";

const RUN_MS = 4000;
const NORMAL = { code: 1000, reason: "Normal close" };
const LOST = { error: true, code: 1006, reason: "",
	message: "the web app closed the connection" };
const TOKENS = { mona: "gho_mona_secret", lisa: "gho_lisa_secret" };

// What one browser says and hears under one request_id.
class Chat {
	constructor(browser) {
		this.browser = browser;
		this.id = randomUUID();
		this.chunks = new Queue("chunks");
		this.ends = [];
		this.end = new Promise((resolve) => {
			this.onEnd = resolve;
		});
		browser.ws.on("message", (text) => this.take(JSON.parse(text)));
	}

	take({ type, request_id, data, complete }) {
		if (type !== "forwarded_response" || request_id !== this.id)
			return;
		if (!complete) {
			this.chunks.push(data);
			return;
		}
		this.ends.push(data);
		this.onEnd(data);
	}

	act(action, payload = {}) {
		this.browser.send({ type: "forward_to_client", client_id: CLIENT,
			request_id: this.id, action, payload });
		return this;
	}

	// The next chunk with these members; others are passed over.
	next(members, timeout = 20000) {
		return this.chunks.next((data) => Object.entries(members)
			.every(([name, value]) => data[name] === value), timeout);
	}

	ended() {
		return deadline(this.end, 15000, "it does not end");
	}

	async close() {
		this.act("close");
		assert.deepEqual(await this.ended(), NORMAL);
		assert.equal(this.ends.length, 1);
	}
}

const startSlow = (stage, name) => startApp(stage, name,
	{ secret: SECRET, furnish: furnishFor(RUN_MS) });

async function start(stage, name, { hubArgs = [], args, env } = {}) {
	const app = await startSlow(stage, name);
	const { hub, tetherd } = await startAll(stage, { upstream: app, hubArgs,
		args, database: false,
		env: { DATABASE_PATH: app.database, ...env } });
	const browser = await startBrowser(stage, hub);
	const statuses = new Queue("statuses");
	browser.ws.on("message", (text) => {
		const { type, client } = JSON.parse(text);
		if (type === "client_update")
			statuses.push(client.status);
	});
	const status = async (wanted, timeout = 20000) =>
		assert.equal(await statuses.next(undefined, timeout), wanted);
	return { app, hub, tetherd, browser, status };
}

const names = async ({ database }) =>
	(await sql(database, "SELECT username FROM users"))
		.map(({ username }) => username);

async function oldChat({ app, browser, status }) {
	const chat = new Chat(browser).act("get-active-sessions");
	assert.deepEqual((await chat.next({ type: "active-sessions" }))
		.sessions.claude, []);
	await status("active");
	assert.deepEqual(await names(app), ["orchestrator"]);

	const { type, ...payload } = await command(app, "old");
	chat.act(type, payload);
	const { sessionId } = await chat.next({ type: "session-created" });
	await status("busy");
	await chat.next({ type: "claude-response" });
	chat.act("check-session-status", { sessionId });
	assert.equal((await chat.next({ type: "session-status", sessionId }))
		.isProcessing, true);
	const other = new Chat(browser).act("get-active-sessions");
	assert.deepEqual((await other.next({ type: "active-sessions" }))
		.sessions.claude, [sessionId]);
	await other.close();
	const last = await chat.next({ type: "claude-complete" });
	assert.deepEqual([last.sessionId, last.exitCode], [sessionId, 0]);
	await status("active");
	chat.act("check-session-status", { sessionId });
	assert.ok(!(await chat.next({ type: "session-status", sessionId }))
		.isProcessing);

	chat.act("cursor-abort", { sessionId });
	assert.equal((await chat.next({ type: "session-aborted" })).success,
		false);
	chat.act("claude-command", payload);
	const again = await chat.next({ type: "session-created" });
	await status("busy");
	chat.act("abort-session", { sessionId: again.sessionId });
	// Whether it can: the app lets only runs of some kinds be ended.
	await chat.next({ type: "session-aborted" });
	await status("active", 40000);
	await chat.close();
	await status("idle");
}

async function newChat({ app, browser, status }) {
	const chat = new Chat(browser).act("chat.subscribe",
		{ sessions: [{ sessionId: "nobody's" }] });
	assert.equal((await chat.next({ kind: "chat_subscribed" }))
		.isProcessing, false);
	await status("active");
	assert.deepEqual(await names(app), ["orchestrator"]);
	chat.act("chat.send", { sessionId: "nobody's", content: "hello" });
	assert.equal((await chat.next({ kind: "protocol_error" })).code,
		"SESSION_NOT_FOUND");

	const sessionId = await createSession(app,
		await tokenOf(app, "orchestrator"));
	chat.act("chat.send", { sessionId, content: "hello" });
	await status("busy");
	const other = new Chat(browser).act("chat.subscribe",
		{ sessions: [{ sessionId }] });
	assert.equal((await other.next({ kind: "chat_subscribed", sessionId }))
		.isProcessing, true);
	chat.act("chat.send", { sessionId, content: "hello" });
	assert.equal((await chat.next({ kind: "protocol_error" })).code,
		"RUN_IN_PROGRESS");
	// It is heard where it was asked for last.
	const last = await other.next({ kind: "complete", sessionId });
	assert.equal(last.exitCode, 0);
	await status("active");

	other.act("chat.send", { sessionId, content: "hello" });
	await status("busy");
	chat.act("chat.abort", { sessionId });
	assert.equal((await other.next({ kind: "complete", sessionId })).aborted,
		true);
	await status("active");
	chat.act("chat.abort", { sessionId });
	assert.equal((await chat.next({ kind: "protocol_error" })).code,
		"NO_ACTIVE_RUN");
	await other.close();

	chat.act("chat.send", { sessionId, content: "list" });
	await status("busy");
	const { requestId, toolName } =
		await chat.next({ kind: "permission_request" });
	assert.equal(toolName, "Bash");
	chat.act("chat.permission-response", { requestId, allow: true });
	await chat.next({ kind: "permission_resolved", requestId });
	await chat.next({ kind: "complete", sessionId });
	await status("active");
	await chat.close();
	await status("idle");
}

const WHOLE = { old: oldChat, new: newChat };

for (const name of ["old", "new"]) {
	for (const hubArgs of [[], ["--duratii"]])
		scenario(`${name} app: chats behind tether-hub ${hubArgs}`,
			{ timeout: 180000 }, async (stage) => {
				const all = await start(stage, name, { hubArgs });
				await WHOLE[name](all);
				const unknown = new Chat(all.browser).act("dance");
				assert.deepEqual(await unknown.ended(),
					{ code: 4000, reason: "Unknown action" });
				assert.deepEqual(await names(all.app), ["orchestrator"]);
			});

	scenario(`${name} app: it is killed`, { timeout: 180000 },
		async (stage) => {
			const { app, browser, status } = await start(stage, name);
			const chat = new Chat(browser)
				.act("get-active-sessions").act("chat.subscribe",
					{ sessions: [{ sessionId: "s" }] });
			await chat.chunks.next();
			await status("active");
			const { type, ...payload } = await command(app, name,
				await tokenOf(app, "orchestrator"));
			chat.act(type, payload);
			await status("busy");
			process.kill(app.pid, "SIGKILL");
			assert.deepEqual(await chat.ended(), LOST);
			await status("idle");
			const after = new Chat(browser).act("get-active-sessions");
			assert.deepEqual(await after.ended(), { error: true,
				message: "the web app cannot be reached" });
			assert.deepEqual([chat.ends.length, after.ends.length],
				[1, 1]);
		});

	scenario(`${name} app: whose token it is`, { timeout: 180000 },
		async (stage) => {
			const github = await startGithub(stage, { people: {
				mona: { id: 1, token: TOKENS.mona },
				lisa: { id: 3, token: TOKENS.lisa },
			} });
			const conf = await startConf(stage,
				"policy {\n\tusers { mona }\n}\n");
			const { app, browser, tetherd } = await start(stage, name,
				{ args: conf.args, env: github.env });
			const by = (auth_token) => new Chat(browser).act(
				name === "old" ? "get-active-sessions"
					: "chat.subscribe",
				{ auth_token, sessions: [{ sessionId: "s" }] });

			for (const token of [undefined, "gho_x", TOKENS.lisa]) {
				const chat = by(token);
				const end = await chat.ended();
				assert.deepEqual([end.error, end.auth_error],
					[true, true]);
				assert.equal(chat.ends.length, 1);
			}
			assert.deepEqual(await names(app), []);
			const chat = by(TOKENS.mona);
			const chunk = await chat.chunks.next();
			assert.equal(chunk.type ?? chunk.kind, name === "old"
				? "active-sessions" : "chat_subscribed");
			assert.deepEqual(await names(app), ["mona"]);
			await chat.close();
			for (const lines of [app.lines, tetherd.lines])
				assert.doesNotMatch(lines.join("\n"), /gho_/);
		});

	scenario(`${name} app: messages that are called follow-ups`,
		{ timeout: 180000 }, async (stage) => {
			const app = await startSlow(stage, name);
			const { connection } = await startInstance(stage, {
				upstream: () => app, database: false,
				env: { DATABASE_PATH: app.database } });
			const subscribe = { sessions: [{ sessionId: "s" }] };
			const type = name === "old" ? "get-active-sessions"
				: "chat.subscribe";
			const session = new Browser(connection)
				.begin(type, subscribe);

			session.followUp({ ...subscribe, type })
				.followUp(subscribe, { action: type });
			for (let i = 0; i < 3; i++) {
				const chunk = await session.chunk();
				assert.ok(["active-sessions", "chat_subscribed"]
					.includes(chunk.type ?? chunk.kind));
			}
			session.followUp({}, { action: "close" });
			assert.deepEqual(await session.ended(), NORMAL);
			await until(() => session.ends.length === 1, "no end");
		});
}
