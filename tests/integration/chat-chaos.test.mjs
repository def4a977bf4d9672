// Chat sessions of many browsers, and tunnels beside them, while everything
// goes wrong at random: what comes keeps its order, each session ends once,
// and nothing is left in the end.

import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { describe } from "node:test";

import { startChats } from "./lib/chat.mjs";
import { startGithub } from "./lib/github.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { makeHandle } from "./lib/tunnel.mjs";

const MS = Number(process.env.TETHERD_CHAOS_MS ?? 5000);
const LINK_MS = 1000; // between two ends of the connection
const CHATS = 60; // at once, of which the instance takes more or less

const TOKENS = { mona: "gho_mona_secret", hubot: "gho_hubot_secret",
	lisa: "gho_lisa_secret" };
const PEOPLE = { mona: { id: 1, token: TOKENS.mona },
	hubot: { id: 2, token: TOKENS.hubot },
	lisa: { id: 3, token: TOKENS.lisa } };
const POLICIES = [
	"policy {\n\tusers { mona }\n\tread-only users { hubot }\n}\n",
	"policy {\n\tusers { mona lisa }\n\tread-only users { hubot }\n}\n",
	"policy {\n\tusers { hubot }\n\tread-only users { mona }\n}\n",
	"", "deny {\n\tpath /ws\n}\n",
];
const ACTIONS = ["claude-command", "abort-session", "chat.send",
	"chat.abort", "chat.subscribe", "check-session-status"];
const LIMITS = ["", "limits {\n\tchat sessions 8\n}\n",
	"limits {\n\tchat idle time 1s\n}\n"];

const pick = (list) => list[randomInt(list.length)];
const chance = (percent) => Math.random() * 100 < percent;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The length of a message: mostly short, sometimes in many parts.
const size = () => (chance(70) ? randomInt(3000)
	: chance(90) ? randomInt(200000) : randomInt(6000000));

// What the web app does with a chat, or with a tunnel to it.
function misbehave(ws, faults) {
	let sent = 0, got = -1;
	const say = (more) => {
		if (ws.readyState === 1)
			ws.send(JSON.stringify({ pad: "é".repeat(size() / 2),
				...more, n: sent++ }));
	};
	ws.on("message", (data) => {
		const { n } = JSON.parse(data.toString("latin1"));
		if (typeof n === "number" && n <= got)
			faults.push(`to the upstream: ${n} after ${got}`);
		if (typeof n === "number")
			got = n;
		if (chance(60))
			for (let i = randomInt(4); i > 0; i--)
				say();
		if (chance(3))
			ws.socket.pause();
		if (chance(2)) {
			say({ last: true, pad: "x".repeat(size()) });
			ws.close(4001, "enough");
		}
		if (chance(1))
			ws.terminate();
		if (chance(1))
			ws.socket.write(randomBytes(50));
	});
	if (chance(10))
		ws.socket.pause();
	const timer = setInterval(() => ws.socket.resume(), 500);
	ws.on("close", () => clearInterval(timer));
}

// All that is said under one request_id: until it ends once.
class Chat {
	constructor(world) {
		Object.assign(this, { world, n: 0, expected: 0, ends: 0, asked: 0 });
		this.id = randomBytes(16).toString("base64url");
		this.person = pick(Object.keys(TOKENS));
		world.connection.replies.set(this.id, (message) =>
			this.take(message));
		this.say("user_request", { action: pick(ACTIONS),
			payload: this.payload(90) });
	}

	payload(percent) {
		const person = chance(98) ? this.person : pick(Object.keys(TOKENS));
		return { n: this.n++, pad: "x".repeat(size() / 2),
			...(chance(30) && { type: pick([...ACTIONS, "dance", 7]) }),
			...(chance(percent) && {
				auth_token: chance(98) ? TOKENS[person] : pick(["", 7, "x"]),
			}) };
	}

	say(type, members) {
		this.asked++;
		this.world.connection.send({ type, request_id: this.id, ...members });
	}

	fault(what, message) {
		this.world.faults.push(`${what}: ${JSON.stringify(message)
			.slice(0, 200)} (${this.ends} ends, ${this.expected} expected)`);
	}

	take({ type, data, message }) {
		if (type === "error")
			return;
		if (type === "response_complete")
			return this.end(data);
		if (this.ends > 0)
			return this.fault("after the end", data);
		if (data.kind === "protocol_error" || data.type === "claude-complete")
			return;
		if (data.raw !== undefined)
			return;
		if (data.error !== true && data.n !== this.expected)
			this.fault("order", { ...data, pad: "" });
		this.expected = (data.n ?? this.expected) + 1;
		this.last = data.last;
	}

	end(data) {
		// What was on its way then finds no session.
		if (this.ends++ > 0 && data.error !== true && data.t !== "close")
			this.fault("second end", data);
		if (data.code === 4001 && !this.last)
			this.fault("end before the last message", data);
		this.world.chats.delete(this);
		this.world.open.delete(this.id);
	}

	step() {
		const what = randomInt(100);
		if (what < 70)
			this.say("user_request_follow_up", { payload: this.payload(10),
				...(chance(20) && { action: pick(ACTIONS) }) });
		else if (what < 75)
			this.say(pick(["user_request", "user_request_follow_up"]),
				{ action: "close", payload: pick([null, {},
					{ code: 4000, reason: "r" }, { code: "x" }]) });
		else if (what < 77)
			this.say("user_request", { action: pick(ACTIONS), payload: 7 });
		else if (what < 78)
			this.say("user_request", { action: "tunnel.open",
				payload: { path: "/ws", handle: "x" } });
		else if (what < 79)
			this.burst();
	}

	burst() {
		for (let i = 0; i < 300; i++)
			this.say("user_request_follow_up", { payload: { n: this.n++ } });
	}
}

// One connection to the instance and the browsers behind it.
class World {
	chats = new Set();
	open = new Set(); // request_ids without a last reply
	tunnels = [];

	constructor(connection, faults, handle) {
		Object.assign(this, { connection, faults, handle });
	}

	begin() {
		const chat = new Chat(this);
		this.chats.add(chat);
		this.open.add(chat.id);
	}

	ask(action, payload) {
		const id = randomBytes(16).toString("base64url");
		this.open.add(id);
		this.connection.replies.set(id, ({ type, data }) => {
			if (type === "response_complete" && !this.open.delete(id))
				this.faults.push(`${action}: ${JSON.stringify(data)}`);
			if (type === "response_chunk" && data.n !== undefined &&
			    chance(90))
				this.ask("tunnel.ack", { id, n: data.n + 1 });
		});
		this.connection.send({ type: "user_request", request_id: id,
			action, payload });
		return id;
	}

	step() {
		if (this.chats.size < CHATS && chance(20))
			this.begin();
		else if (this.chats.size > 0)
			pick([...this.chats]).step();
		if (chance(3))
			this.tunnels.push(this.ask("tunnel.open",
				{ handle: this.handle, path: "/ws" }));
		if (chance(10) && this.tunnels.length > 0)
			this.ask("tunnel.send", { id: pick(this.tunnels), n: 0,
				d: "{\"type\":\"chat.subscribe\"}" });
		if (chance(2) && this.tunnels.length > 0)
			this.ask("tunnel.close", { id: this.tunnels.pop(), n: 0 });
		if (chance(1)) {
			this.connection.socket.pause();
			setTimeout(() => this.connection.socket.resume(), 250);
		}
	}

	async run(ms) {
		const end = Date.now() + ms;
		while (Date.now() < end) {
			for (let i = 0; i < 10; i++)
				this.step();
			await pause(5);
		}
		this.connection.socket.resume();
	}

	// Until all have their last reply, and then none.
	async finish() {
		await until(() => {
			for (const chat of this.chats)
				chat.say("user_request_follow_up",
					{ action: "close", payload: {} });
			for (const id of this.tunnels.splice(0))
				this.ask("tunnel.close", { id, n: 0 });
			return this.open.size === 0;
		}, "a request without its last reply", 30000);
	}
}

const MAY_LOOK = process.getuid() === 0;

// How many a process has; 0 where only root may look.
const descriptors = async (pid) =>
	MAY_LOOK ? (await readdir(`/proc/${pid}/fd`)).length : 0;

// The status lines of proxyd and connector.
async function status(tetherd) {
	const from = tetherd.lines.length;
	tetherd.signal("SIGUSR1");
	return [await tetherd.line(/proxyd.*status: upstream/, { from }),
		await tetherd.line(/connector.*requests under way/, { from })];
}

const isNothing = ([proxyd, connector]) =>
	/ 0 requests .* 0 tunnels, 0 chat sessions, .* 0 bytes buffered$/
		.test(proxyd) &&
	/ 0 requests and 0 user requests /.test(connector);

async function idle(tetherd) {
	let lines;
	await until(async () => isNothing(lines = await status(tetherd)),
		"not idle", 20000)
		.catch((error) => assert.fail(`${error.message}: ${lines}`));
}

describe("chat sessions while everything goes wrong", () => {
	scenario("nothing is left of them", { timeout: MS + 120000 },
		async (stage) => {
			const faults = [];
			const github = await startGithub(stage, { people: PEOPLE });
			const all = await startChats(stage, { text: POLICIES[0],
				env: github.env, deaf: true,
				orchestrator: { cutMessages: true },
				connected: (ws) => misbehave(ws, faults),
				admit: () => (chance(95) ? 101 : pick([401, 500])) });
			const { tetherd, orchestrator, upstream, change } = all;
			const victims = ["proxyd", "connector", "authd"];
			const end = Date.now() + MS;
			let { connection } = all, before, world;

			const operate = async () => {
				const stop = Date.now() + LINK_MS;
				while (Date.now() < stop) {
					if (chance(30))
						await change(pick(POLICIES) + pick(LIMITS),
							/settings reloaded|reload failed/);
					else
						await tetherctl(tetherd, "users", pick(["enable",
							"enable", "disable"]), pick(["mona", "hubot"]));
					await pause(randomInt(300));
				}
			};
			for (let round = 0; ; round++) {
				world = new World(connection, faults,
					await makeHandle({ connection }, 1, "mona"));
				const running = Promise.all([world.run(LINK_MS), operate()]);
				if (victims.length > 0 && round > 0) {
					await pause(LINK_MS / 3);
					process.kill(tetherd.childPid(victims.shift()), "SIGKILL");
				}
				await running;
				assert.deepEqual(faults, []);
				if (Date.now() > end)
					break;
				if (victims.length === 0 && before === undefined) {
					await world.finish();
					await idle(tetherd);
					await until(() => upstream.open === 0, "sockets");
					before = await descriptors(tetherd.childPid("proxyd"));
					continue;
				}
				connection.socket.destroy();
				connection = await orchestrator.registered();
			}
			await world.finish();
			await idle(tetherd);
			assert.deepEqual(faults, []);
			await until(() => upstream.open === 0, "sockets are left");
			if (before !== undefined)
				await until(async () => before ===
					await descriptors(tetherd.childPid("proxyd")),
				"descriptors are left");
			assert.deepEqual(tetherd.all(/lost child/).filter((line) =>
				!line.includes("signal 9 ")), []);
			for (const what of [/audit: message refused/, /settings reloaded/])
				assert.ok(tetherd.all(what).length > 0, `${what}`);
		});
});
