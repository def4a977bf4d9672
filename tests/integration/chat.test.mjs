// Chat sessions: what tetherd-protocol(7) says of them.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe } from "node:test";

import { Browser, jwtOf, Session, settle, startChats } from
	"./lib/chat.mjs";
import { startConf } from "./lib/conf-file.mjs";
import { startGithub } from "./lib/github.mjs";
import { startBrowser } from "./lib/hub-peer.mjs";
import { startInstance } from "./lib/instance.mjs";
import { CLIENT, startHub, startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline, until } from "./lib/time.mjs";
import { echo, startSocketUpstream } from "./lib/tunnel.mjs";

const TOKENS = { mona: "gho_mona_secret", hubot: "gho_hubot_secret",
	lisa: "gho_lisa_secret" };
const RULES = "policy {\n\tusers { mona }\n\tread-only org { acme }\n}\n";
const ACTIONS = ["claude-command", "cursor-command", "codex-command",
	"abort-session", "claude-permission-response", "cursor-abort",
	"check-session-status", "get-active-sessions", "chat.send",
	"chat.abort", "chat.subscribe", "chat.permission-response"];
const NORMAL = { code: 1000, reason: "Normal close" };
const NO_SESSION = { error: true, message: "no such session" };
const READ_ONLY = "your access is read-only";

const by = (login, members) => ({ ...members, auth_token: TOKENS[login] });

async function startRules(stage, options = {}) {
	const github = await startGithub(stage, {
		people: {
			mona: { id: 1, token: TOKENS.mona },
			hubot: { id: 2, token: TOKENS.hubot },
			lisa: { id: 3, token: TOKENS.lisa },
		},
		orgs: { acme: { id: 10, members: { hubot: "active" } } },
	});
	const all = await startChats(stage,
		{ text: RULES, env: github.env, ...options });
	return { ...all, github };
}

async function assertRefused(session, message) {
	const data = await session.ended();
	assert.deepEqual([data.error, data.auth_error], [true, true]);
	if (message instanceof RegExp)
		assert.match(data.message, message);
	else
		assert.equal(data.message, message);
	assert.deepEqual(await session.errors.next(),
		{ message: data.message, auth_error: true });
	assert.equal(session.ends.length, 1);
}

describe("chat sessions without rules", { concurrency: 2 }, () => {
	scenario("each action opens /ws as the service user", async (stage) => {
		const { browser, upstream } = await startChats(stage);

		await eachRow(ACTIONS.map((action) => [action]), async ([action]) => {
			const session = await browser.open(upstream, action,
				{ a: [1, "é"], type: "other", auth_token: "gho_x" });
			assert.deepEqual(session.first, { a: [1, "é"], type: action });
			const req = upstream.upgrades.at(-1);
			assert.equal(new URL(req.url, "http://h").pathname, "/ws");
			assert.equal(jwtOf(req).username, "orchestrator");
			assert.match(req.headers.authorization, /^Bearer /);
			session.act("close");
			assert.deepEqual(await session.ended(), NORMAL);
			assert.equal((await session.ws.closed).code, 1000);
		});
		for (const payload of [null, undefined, {}])
			assert.deepEqual((await browser.open(upstream, "chat.send",
				payload)).first, { type: "chat.send" });
	});

	scenario("each message becomes one chunk", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const session = await browser.open(upstream);
		const rows = [
			["{\"type\":\"a\",\"n\":[1,{}]}", { type: "a", n: [1, {}] }],
			["7", 7], ["null", null], ["\"x\"", "x"], [" [] ", []],
			["hi \u{1f600}\"\n", { raw: "hi \u{1f600}\"\n" }],
			["{'a':1}", { raw: "{'a':1}" }], ["", { raw: "" }],
			["[1,]", { raw: "[1,]" }], ["NaN", { raw: "NaN" }],
			[Buffer.from([0, 255]), { raw: "AP8=", encoding: "base64" }],
		];

		await eachRow(rows, async ([message, data]) => {
			session.ws.send(message);
			assert.deepEqual(await session.chunk(), data);
		});
		for (let i = 0; i < 1000; i++)
			session.ws.send(`{"n":${i}}`);
		for (let i = 0; i < 1000; i++)
			assert.deepEqual(await session.chunk(), { n: i });
	});

	scenario("follow-ups of both kinds, in order", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const session = browser.begin("chat.send", { n: 0 });

		// Before it is open, and right after.
		for (let n = 1; n < 100; n += 2)
			session.followUp({ n }).act("chat.abort", { n: n + 1 });
		session.followUp({ n: 101 }, { action: "x" }).act("dance", { n: 102 })
			.followUp({ n: 103, auth_token: "gho_x" }).followUp(null);
		const ws = await upstream.sockets.next();
		const next = async () => JSON.parse(await ws.received.next());
		assert.deepEqual(await next(), { n: 0, type: "chat.send" });
		for (let n = 1; n < 100; n += 2) {
			assert.deepEqual(await next(), { n });
			assert.deepEqual(await next(), { n: n + 1, type: "chat.abort" });
		}
		assert.deepEqual(await next(), { n: 101, type: "x" });
		assert.deepEqual(await next(), { n: 102, type: "dance" });
		assert.deepEqual(await next(), { n: 103 });
		assert.deepEqual(await next(), {});
		assert.equal(upstream.open, 1);
		session.followUp(7);
		assert.equal((await session.errors.next()).message,
			"payload is not an object");
		session.act("close");
		assert.deepEqual(await session.ended(), NORMAL);
		assert.equal(session.ends.length, 1);
		assert.equal(session.errors.items.length, 0);
	});

	scenario("how it ends", async (stage) => {
		const { browser, connection, upstream } = await startChats(stage);
		const rows = [
			[(s) => s.ws.close(), NORMAL],
			[(s) => s.ws.close(1000, "bye"), NORMAL],
			[(s) => s.ws.close(4000, "no"), { code: 4000, reason: "no" }],
			[(s) => s.ws.close(1011), { code: 1011, reason: "" }],
			[(s) => s.ws.terminate(), { error: true, code: 1006, reason: "",
				message: "the web app closed the connection" }],
			[(s) => s.act("close", {}), NORMAL],
			[(s) => s.act("close", { code: 3001, reason: "done" }),
				{ code: 3001, reason: "done" }],
			[(s) => s.act("close", { code: 17, reason: 7 }), NORMAL],
			[(s) => s.followUp({}, { action: "close" }), NORMAL],
		];

		await eachRow(rows, async ([end, data]) => {
			const session = await browser.open(upstream);
			end(session);
			assert.deepEqual(await session.ended(), data);
			const after = new Session(connection, session.id);
			after.followUp({});
			assert.deepEqual(await after.ended(), NO_SESSION);
			assert.equal(session.ends.length, 1);
		});
		await until(() => upstream.open === 0, "sockets left");
	});

	scenario("what is not known", async (stage) => {
		const { browser, connection } = await startChats(stage);

		const unknown = browser.begin("dance", {});
		assert.deepEqual(await unknown.ended(),
			{ code: 4000, reason: "Unknown action" });
		assert.equal((await unknown.errors.next()).message,
			"Unknown action: dance");
		assert.deepEqual(await browser.begin("close").ended(), NO_SESSION);
		assert.deepEqual(await new Session(connection, randomUUID())
			.followUp({ type: "chat.send" }).ended(), NO_SESSION);
	});

	scenario("all end with the connection", async (stage) => {
		const { browser, connection, orchestrator, upstream } =
			await startChats(stage);
		const sessions = [];
		for (let i = 0; i < 10; i++)
			sessions.push(await browser.open(upstream));
		connection.socket.destroy();
		for (const { ws } of sessions)
			assert.equal((await deadline(ws.closed, 5000, "open")).code,
				1001);
		const next = await orchestrator.registered();
		const after = new Session(next, sessions[0].id);
		after.followUp({});
		assert.deepEqual(await after.ended(), NO_SESSION);
		const again = await new Browser(next).open(upstream);
		again.ws.send("1");
		assert.equal(await again.chunk(), 1);
	});

	scenario("what a shutdown says", async (stage) => {
		const { browser, tetherd, upstream } = await startChats(stage);
		const session = await browser.open(upstream);

		tetherd.signal("SIGTERM");
		const end = await session.ended();
		assert.ok(end.error || end.code === 1001, JSON.stringify(end));
		assert.equal((await session.ws.closed).code, 1001);
		assert.equal((await tetherd.ended()).code, 0);
		assert.equal(session.ends.length, 1);
	});

	scenario("status is active while one is open", async (stage) => {
		const { browser, connection, upstream } = await startChats(stage);
		const session = await browser.open(upstream, "chat.subscribe");

		assert.equal((await connection.receive("status_update")).status,
			"active");
		session.act("close");
		assert.equal((await connection.receive("status_update")).status,
			"idle");
	});

	scenario("rules that appear, paths that close, another upstream",
		async (stage) => {
			const { browser, change, upstream } = await startChats(stage);
			const first = await browser.open(upstream);
			await change(RULES);
			// Who says so first, proxyd or authd.
			await assertRefused(first, /^no auth_token$|only whom it knows/);
			await change("");
			const second = await browser.open(upstream);
			await change("policy {\n\tdeny path { \"/ws\" }\n}\n");
			await assertRefused(second, "this path is closed on this instance");
			await assertRefused(browser.begin("chat.send", {}),
				"this path is closed on this instance");
			await change("");
			const third = await browser.open(upstream);
			await change("");
			await settle(browser);
			assert.equal(third.ends.length, 0);
		});

	scenario("the upstream moves", async (stage) => {
		const first = await startSocketUpstream(stage);
		const second = await startSocketUpstream(stage);
		const at = ({ port }) =>
			`upstream {\n\tport ${port}\n\twatch runs no\n}\n`;
		const conf = await startConf(stage, at(first));
		const { connection, tetherd } = await startInstance(stage, {
			upstream: () => first, args: conf.args,
			env: { PORT: undefined } });
		const browser = new Browser(connection);
		const session = await browser.open(first);

		await conf.change(at(second), tetherd);
		assert.deepEqual(await session.ended(),
			{ code: 1012, reason: "Service restart" });
		assert.equal((await session.ws.closed).code, 1001);
		await browser.open(second);
		assert.equal(first.upgrades.length, 1);
	});
});

describe("chat sessions with rules", { concurrency: 2 }, () => {
	scenario("whose token it is", async (stage) => {
		const { browser, tetherd, upstream } = await startRules(stage);

		const mona = await browser.open(upstream, "chat.send",
			by("mona", { text: "hi" }));
		assert.deepEqual(mona.first, { text: "hi", type: "chat.send" });
		assert.equal(jwtOf(upstream.upgrades.at(-1)).username, "mona");
		await browser.open(upstream, "chat.subscribe", by("hubot"));
		assert.equal(jwtOf(upstream.upgrades.at(-1)).username, "hubot");
		await assertRefused(browser.begin("chat.send", by("hubot")),
			READ_ONLY);
		await assertRefused(browser.begin("chat.send", {}), "no auth_token");
		await assertRefused(browser.begin("chat.send", { auth_token: 7 }),
			"auth_token is malformed");
		await assertRefused(browser.begin("chat.send",
			{ auth_token: "gho_nobody" }), "the GitHub token is not valid");
		assert.equal(upstream.upgrades.length, 2);
		const lines = tetherd.lines.join("\n");
		assert.match(lines, /audit: action allowed id=1 login=mona role=full chat\.send/);
		assert.doesNotMatch(lines, /gho_/);
	});

	scenario("follow-ups come without a token, or with their own",
		async (stage) => {
			const { browser, upstream } = await startRules(stage);
			const session = await browser.open(upstream, "chat.send",
				by("mona"));
			session.followUp({ n: 1 }).followUp(by("mona", { n: 2 }))
				.followUp({ n: 3 }).act("chat.abort", by("mona", { n: 4 }));
			for (const message of [{ n: 1 }, { n: 2 }, { n: 3 },
				{ n: 4, type: "chat.abort" }])
				assert.deepEqual(JSON.parse(
					await session.ws.received.next()), message);
			session.followUp({ n: 5 }).followUp(by("hubot", { n: 6 }))
				.followUp({ n: 7 });
			await assertRefused(session, "auth_token is somebody else's");
			assert.deepEqual(JSON.parse(await session.ws.received.next()),
				{ n: 5 });
			assert.equal((await session.ws.closed).code, 1001);
			assert.equal(session.ws.received.items.length, 0);
		});

	scenario("a follow-up before it is allowed", async (stage) => {
		const { browser, github, upstream } = await startRules(stage);
		github.fault("/user", { times: 1, delay: 300 });
		const session = browser.begin("chat.send", by("mona", { n: 0 }));
		session.followUp({ n: 1 }).act("chat.send", { n: 2 });
		const ws = await upstream.sockets.next();
		for (let n = 0; n < 3; n++)
			assert.equal(JSON.parse(await ws.received.next()).n, n);
		const other = browser.begin("chat.send", by("lisa"));
		other.followUp({}).act("chat.send", {});
		await other.ended();
		assert.equal(other.ends.length, 1);
		assert.equal(upstream.upgrades.length, 1);
	});

	scenario("who may only look", async (stage) => {
		const { browser, upstream } = await startRules(stage);
		const session = await browser.open(upstream, "chat.subscribe",
			by("hubot"));

		session.act("get-active-sessions", {})
			.act("chat.send", { sessionId: "s" })
			.followUp({ type: "claude-command" }).followUp({})
			.followUp({ type: "check-session-status" });
		for (const type of ["get-active-sessions", "check-session-status"])
			assert.equal(JSON.parse(await session.ws.received.next()).type,
				type);
		for (let i = 0; i < 3; i++)
			assert.equal((await session.errors.next()).message, READ_ONLY);
		assert.equal((await session.chunk()).sessionId, "s");
		assert.deepEqual(await session.chunk(),
			{ type: "claude-complete", exitCode: 1 });
		session.ws.send("1");
		assert.equal(await session.chunk(), 1);
		assert.equal(session.ends.length, 0);
	});

	scenario("authd dies while it asks", async (stage) => {
		const { browser, github, tetherd, upstream } =
			await startRules(stage);

		github.fault("/user", { times: 1, hang: true });
		const session = browser.begin("chat.send", by("mona", { n: 1 }));
		await github.arrivals.next();
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		const ws = await upstream.sockets.next();
		assert.equal(JSON.parse(await ws.received.next()).n, 1);
		ws.send("1");
		assert.equal(await session.chunk(), 1);
	});

	scenario("the link goes down while authd is asked", async (stage) => {
		const { browser, connection, github, orchestrator, upstream } =
			await startRules(stage);

		github.fault("/user", { times: 1, hang: true });
		const session = browser.begin("chat.send", by("mona", { n: 1 }));
		await github.arrivals.next();
		connection.socket.destroy();
		const next = await orchestrator.registered();
		const after = new Session(next, session.id);
		after.followUp({});
		assert.deepEqual(await after.ended(), NO_SESSION);
		assert.equal(upstream.upgrades.length, 0);
	});

	scenario("rules that change", async (stage) => {
		const { browser, change, upstream } = await startRules(stage);
		const mona = await browser.open(upstream, "chat.send", by("mona"));

		await change(RULES);
		await settle(browser);
		assert.equal(mona.ends.length, 0);
		mona.followUp({ n: 1 });
		assert.equal(JSON.parse(await mona.ws.received.next()).n, 1);
		await change("policy {\n\tread-only users { mona }\n}\n");
		await assertRefused(mona, "your access changed");
		const again = await browser.open(upstream, "chat.subscribe",
			by("mona"));
		await change("policy {\n\tusers { lisa }\n}\n");
		const { auth_error } = await again.ended();
		assert.equal(auth_error, true);
		assert.equal((await again.ws.closed).code, 1001);
	});
});

describe("chat sessions through the hub", () => {
	scenario("a browser's session", async (stage) => {
		const hub = await startHub(stage);
		const upstream = await startSocketUpstream(stage,
			{ connected: echo });
		const conf = await startConf(stage,
			"upstream {\n\twatch runs no\n}\n");
		const tetherd = await startTetherd(stage, { args: conf.args,
			env: { ORCHESTRATOR_URL: hub.connectUrl,
				PORT: String(upstream.port) } });
		await tetherd.registered();
		const browser = await startBrowser(stage, hub);
		const forward = (action, payload) => browser.send({
			type: "forward_to_client", client_id: CLIENT,
			request_id: "r", action, payload });

		forward("chat.send", { n: 1 });
		for (let n = 1; n < 50; n++) {
			const got = await browser.next("forwarded_response");
			assert.deepEqual([got.request_id, got.complete, got.data],
				["r", false, { n, type: "chat.send" }]);
			forward("chat.send", { n: n + 1 });
		}
		await browser.next("forwarded_response");
		forward("close", {});
		const last = await browser.next("forwarded_response");
		assert.deepEqual([last.complete, last.data], [true, NORMAL]);
		assert.deepEqual(browser.messages.filter(({ type }) =>
			type === "forwarded_response"), []);
	});
});
