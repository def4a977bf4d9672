// Tunnels of people who may only look, who may no longer, or who open many.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, makeHandle, Page, startSocketUpstream } from
	"./lib/tunnel.mjs";

const REASON = "your access is read-only";
const ADVICE = "Ask the operator of this instance for full access: " +
	"policy users, or tetherctl users role LOGIN full.";
const RULES = "users { mona }\n\tread-only users { octocat }";

const policy = (rules) => `policy {\n\t${rules}\n}\n`;
const opened = (tunnel) => deadline(tunnel.opened, 15000, "not open");
const ended = (tunnel) => deadline(tunnel.closed, 15000, "no end");

// The page of octocat, by these rules.
async function start(stage, text) {
	const conf = await startConf(stage, text);
	const all = await startInstance(stage, { args: conf.args,
		upstream: (s) => startSocketUpstream(s, { connected: echo,
			handle: (req, res) => res.write("data: x\n\n") }) });
	const page = new Page(all.connection);
	page.handle = await makeHandle(all);
	return { ...all, page, conf };
}

describe("tunnels and roles", { concurrency: 2 }, () => {
	scenario("which are opened", async (stage) => {
		const { page, upstream, tetherd, ...all } =
			await start(stage, policy(RULES));
		await eachRow([["/shell"], ["/"], ["/ws/"], ["/%77s"], ["/WS"],
			["/plugin-ws/x"], ["/desktop-notifications"],
		], async ([path]) => {
			assert.deepEqual(await ended(page.open(path)), { t: "close",
				code: 1006, clean: false, reason: `403 ${REASON}`,
				advice: ADVICE });
		});
		assert.equal(upstream.upgrades.length, 0);
		assert.equal((await opened(page.open("/ws?a=b"))).t, "open");
		assert.equal((await opened(page.stream("/events"))).t, "head");
		const handle = await makeHandle(all, 7, "mona");
		assert.equal((await opened(page.open("/shell", { handle }))).t,
			"open");
		await tetherd.line(/audit: tunnel refused id=583231 login=octocat role=read-only \/shell 403 why="your access is read-only"/);
	});

	scenario("what is said on the chat socket", async (stage) => {
		const { page, upstream, tetherd } =
			await start(stage, policy(RULES));
		const tunnel = page.open("/ws");
		await opened(tunnel);
		const { received } = await upstream.sockets.next();
		const asks = ['{"type":"get-active-sessions"}',
			'{ "sessions": [], "type": "chat.subscribe" }',
			`{"type":"chat.subscribe","x":"${"€".repeat(20000)}"}`];

		await eachRow([
			['{"type":"chat.abort","sessionId":"a"}'],
			['{"type":"chat.subscribe","type":"chat.send"}'],
			["{'type':'chat.subscribe'}"], ["x".repeat(200000)],
			[Buffer.from(asks[0])],
			['{"type":"claude-command","command":"rm"}',
				{ type: "claude-complete", exitCode: 1 }],
			['{"type":"chat.send","sessionId":"a","content":"rm"}',
				{ kind: "protocol_error", code: "READ_ONLY",
					sessionId: "a",
					error: `${REASON}. ${ADVICE}` }],
		], async ([message, answer]) => {
			await tunnel.send(message);
			const { answer: given, ...said } =
				await tunnel.denied.next();
			assert.deepEqual(said, { t: "denied", message: REASON,
				advice: ADVICE });
			assert.deepEqual(given && JSON.parse(given), answer);
			// Nothing of it gets there, and what follows does.
			for (const ask of asks) {
				await tunnel.send(ask);
				assert.equal(await received.next(), ask);
				assert.equal(await tunnel.messages.next(), ask);
			}
		});
		assert.equal(tetherd.all("audit: message refused").length, 1);
		assert.equal(upstream.open, 1);
	});

	scenario("rules change", async (stage) => {
		const { page, conf, tetherd, ...all } = await start(stage,
			policy("users { octocat mona }"));
		const handle = await makeHandle(all, 7, "mona");
		const mona = page.open("/shell", { handle });
		const tunnels = [page.open("/ws"), page.open("/shell")];
		const stream = page.stream("/events");
		for (const one of [mona, stream, ...tunnels])
			await opened(one);

		await conf.change(policy(RULES), tetherd);
		for (const tunnel of tunnels) {
			const { code, clean } = await ended(tunnel);
			assert.deepEqual([code, clean], [1012, true]);
		}
		assert.match((await ended(stream)).error, /^503 /);
		const chat = page.open("/ws");
		assert.equal((await opened(chat)).t, "open");

		await conf.change(policy("users { mona }"), tetherd);
		const { code, reason, advice } = await ended(chat);
		assert.equal(code, 1008);
		assert.notEqual(reason, "");
		assert.notEqual(advice, "");
		assert.match((await ended(page.open("/ws"))).reason, /^403 /);
		await mona.send("still here");
		assert.equal(await mona.messages.next(), "still here");
	});

	scenario("the operator changes roles", async (stage) => {
		const { page, tetherd } = await start(stage,
			policy("users { octocat }"));
		const users = async (...args) => {
			const { code, stderr } =
				await tetherctl(tetherd, "users", ...args);
			assert.equal(code, 0, stderr);
		};
		const open = async (path) => {
			const tunnel = page.open(path);
			await opened(tunnel);
			return tunnel;
		};

		const shell = await open("/shell");
		await users("role", "octocat", "read-only");
		assert.equal((await ended(shell)).code, 1012);
		const chat = await open("/ws");
		await users("role", "octocat", "default");
		assert.equal((await ended(chat)).code, 1012);
		const last = await open("/shell");
		await users("disable", "octocat");
		assert.equal((await ended(last)).code, 1008);
	});

	scenario("many in a minute", async (stage) => {
		const { page, ...all } = await start(stage,
			"limits { tunnels per minute 3 }\n");
		for (let i = 0; i < 3; i++)
			assert.equal((await opened(page.open("/ws"))).t, "open");
		const { code, reason } = await ended(page.open("/ws"));
		assert.equal(code, 1006);
		assert.equal(reason, "429 too many tunnels opened");
		assert.match((await ended(page.stream("/e"))).error, /^429 /);
		const handle = await makeHandle(all, 7, "mona");
		assert.equal((await opened(page.open("/ws", { handle }))).t,
			"open");
	});
});
