// Tunnels of two people while everything goes wrong at random, and what is
// left of it in the end: nothing.

import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { makeHandle, startSocketUpstream } from "./lib/tunnel.mjs";

const MS = Number(process.env.TETHERD_CHAOS_MS ?? 5000);
const LINK_MS = 900; // between two ends of the connection

const people = [[583231, "octocat"], [9001, "hubot"]];

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const chance = (percent) => randomInt(100) < percent;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What the web app does to a WebSocket.
function misbehave(ws) {
	ws.on("message", (data, binary) => {
		if (chance(30))
			ws.send(data, { binary });
		if (chance(2))
			ws.socket.pause();
		if (chance(2))
			ws.close(pick([1000, 1011, 4000]), "enough");
		if (chance(1))
			ws.terminate();
		if (chance(1))
			ws.socket.write(randomBytes(50));
	});
	if (chance(20))
		ws.send(randomBytes(randomInt(1, 2000000)));
	if (chance(20))
		ws.send("€".repeat(randomInt(1, 200000)));
	if (chance(10))
		ws.socket.pause();
	const timer = setInterval(() => ws.socket.resume(), 700);
	ws.on("close", () => clearInterval(timer));
}

// And to a request.
function answer(req, res) {
	const size = randomInt(1, 400000);
	if (req.url === "/whole")
		return res.writeHead(200, { connection: "close" })
			.end(randomBytes(size));
	res.setHeader("connection", "close");
	if (chance(20))
		res.setHeader("content-length", size);
	if (chance(5))
		return res.socket.destroy();
	res.write(chance(50) ? randomBytes(size) : "é".repeat(size));
	if (chance(60))
		setTimeout(() => res.end(), randomInt(300));
	return res;
}

// One connection's user_requests: each has one last reply, and none after.
class Link {
	waiting = new Set();
	faults = [];

	// gets: the requests of all connections that have no answer.
	constructor(connection, gets) {
		this.connection = connection;
		this.gets = gets;
	}

	ask(action, payload, take = () => {}) {
		const id = randomBytes(16).toString("base64url");
		this.waiting.add(id);
		this.connection.replies.set(id, (message) => {
			const complete = message.type === "response_complete";
			if (message.type === "error")
				return;
			if (!this.waiting.has(id))
				this.faults.push(`${action}: ${JSON.stringify(message)}`);
			if (complete)
				this.waiting.delete(id);
			take(message.data, complete);
		});
		this.connection.send({ type: "user_request", request_id: id,
			action, payload });
		return id;
	}

	// A request for a page, which is answered once as well.
	get(who, login) {
		const id = randomBytes(16).toString("base64url");
		this.waiting.add(id);
		this.gets.add(id);
		this.connection.answers.set(id, () => {
			this.waiting.delete(id);
			this.gets.delete(id);
		});
		this.connection.send({ type: "http_proxy_request", request_id: id,
			method: "GET", path: "/whole", headers: identity(who, login) });
	}

	check() {
		// A new connector may have those that the last one still owed.
		for (const { request_id } of this.connection.surplus)
			assert.ok(this.gets.delete(request_id), request_id);
		this.connection.surplus = [];
		assert.deepEqual(this.faults, []);
		assert.deepEqual(this.connection.messages.items.filter(
			({ type }) => type.startsWith("response")), []);
	}
}

class Chaos {
	tunnels = [];

	constructor(link, handles) {
		this.link = link;
		this.handles = handles;
	}

	open() {
		const kind = chance(30) ? "stream" : "tunnel";
		const tunnel = { kind, sent: 0, got: 0 };
		tunnel.id = this.link.ask(`${kind}.open`, {
			handle: chance(90) ? pick(this.handles) : "tether_x",
			path: chance(95) ? `/ws?${randomInt(100)}` : "//ws",
			...(kind === "stream" && { method: "GET", headers: [] }),
		}, (data, complete) => {
			if (data.n !== undefined)
				tunnel.got = data.n + 1;
			if (complete)
				this.tunnels = this.tunnels.filter((t) => t !== tunnel);
		});
		this.tunnels.push(tunnel);
	}

	send({ id }, n) {
		const size = chance(90) ? randomInt(2000) : randomInt(140000);
		this.link.ask("tunnel.send", { id, n, more: chance(10),
			...(chance(50) ? { d: "x".repeat(size) }
				: { b: randomBytes(size).toString("base64") }) });
	}

	// One thing that a page may say, or must not.
	step() {
		const tunnel = pick(this.tunnels);
		const what = randomInt(100);

		if (chance(2))
			this.link.get(...pick(people));
		if (tunnel === undefined || (what < 10 && this.tunnels.length < 90))
			this.open();
		else if (what < 60)
			this.send(tunnel, tunnel.sent++);
		else if (what < 62)
			this.send(tunnel, pick([0, tunnel.sent + 3, 2 ** 53, -1, "1"]));
		else if (what < 85)
			this.link.ask("tunnel.ack", { id: tunnel.id,
				n: chance(95) ? randomInt(tunnel.got + 1) : 2 ** 62 });
		else if (what < 88)
			this.link.ask("stream.cancel", { id: tunnel.id });
		else if (what < 90)
			this.close(tunnel, { n: tunnel.sent + randomInt(2), code: 3000 });
		else
			this.link.ask(pick(["tunnel.pong", "stream.ack", "nonsense"]),
				chance(50) ? { id: tunnel.id } : undefined);
	}

	close({ id }, more = { n: 0 }) {
		this.link.ask("tunnel.close", { id, ...more });
	}

	async run(ms) {
		const end = Date.now() + ms;
		while (Date.now() < end) {
			for (let i = 0; i < 20; i++)
				this.step();
			await pause(5);
		}
	}
}

const makeHandles = async (instance) => (await Promise.all(people.map(
	(person) => makeHandle(instance, ...person))))
	.filter((handle) => handle !== undefined);

// What the operator does meanwhile; authd may be away, or know nobody yet.
async function operate(tetherd, ms) {
	const end = Date.now() + ms;
	while (Date.now() < end) {
		await tetherctl(tetherd, ...pick([
			["users", "role", pick(people)[1],
				pick(["read-only", "full", "default"])],
			["users", pick(["enable", "enable", "disable"]),
				pick(people)[1]],
			["reload"],
		]));
		await pause(randomInt(60));
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
	/ 0 requests .* 0 tunnels, .* 0 bytes buffered$/.test(proxyd) &&
	/ 0 requests and 0 user requests /.test(connector);

describe("tunnels while everything goes wrong", () => {
	scenario("nothing is left of them", { timeout: MS + 120000 },
		async (stage) => {
			// To ask what runs takes a descriptor now and then.
			const { args } = await startConf(stage,
				"upstream {\n\twatch runs no\n}\n");
			const instance = await startInstance(stage, { args,
				orchestrator: { cutMessages: true },
				upstream: (s) => startSocketUpstream(s,
					{ connected: misbehave, handle: answer }) });
			const { tetherd, orchestrator, upstream } = instance;
			const victims = ["proxyd", "authd", "connector"];
			const end = Date.now() + MS, gets = new Set();
			let { connection } = instance, chaos, before;

			const handles = [];
			for (let round = 0; ; round++) {
				// Who was disabled has none any more.
				handles.push(...await makeHandles({ connection }));
				handles.splice(0, handles.length - 4);
				chaos = new Chaos(new Link(connection, gets), handles);
				const running = Promise.all([chaos.run(LINK_MS),
					operate(tetherd, LINK_MS)]);
				if (victims.length > 0) {
					await pause(LINK_MS / 3);
					process.kill(tetherd.childPid(victims.shift()),
						"SIGKILL");
				}
				await running;
				chaos.link.check();
				if (Date.now() > end)
					break;
				if (round === 3) {
					// All were killed; an idle moment to compare with.
					connection.socket.destroy();
					connection = await orchestrator.registered();
					await until(async () =>
						isNothing(await status(tetherd)), "not idle");
					before = await descriptors(tetherd.childPid("proxyd"));
				} else {
					if (connection.ws.readyState === 1)
						connection.socket.destroy();
					connection = await orchestrator.registered();
				}
			}
			for (const tunnel of [...chaos.tunnels])
				chaos.close(tunnel);
			await until(() => chaos.link.waiting.size === 0,
				"a request without its last answer", 30000);
			chaos.link.check();
			let lines;
			await until(async () =>
				isNothing(lines = await status(tetherd)), "something is left")
				.catch((error) => assert.fail(`${error.message}: ${lines}`));
			await until(async () => before ===
				await descriptors(tetherd.childPid("proxyd")),
			"descriptors are left");
			await until(() => upstream.connections.size === 0,
				"sockets are left");
			for (const what of [/audit: operator .*role/, /disable/,
				/settings reloaded/])
				assert.ok(tetherd.all(what).length > 0, `${what}`);
			assert.deepEqual(tetherd.all(/lost child/).filter((line) =>
				!line.includes("signal 9 ")), []);
		});

	if (!MAY_LOOK)
		scenario("no descriptor is left", { skip: "only root may look" },
			() => {});
});
