// Sections 4 and 5: exactly one answer, or one last reply, to all that is
// asked, whatever happens meanwhile.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { echo, startSocketUpstream } from "./lib/tunnel.mjs";

const BIG = "x".repeat(200000);
const SLOW_MS = 300;
const EVERY_MS = 5;
const PATIENCE_MS = 40000;
// For an answer too many to come.
const AFTER_MS = 500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const at = ({ port }, more = "") =>
	`upstream {\n\tport ${port}\n}\n${more}`;

function handle(req, res) {
	res.setHeader("Content-Type", "text/plain");
	if (req.url === "/broken")
		return res.socket.destroy();
	if (req.url === "/slow")
		return setTimeout(() => res.end("slow"), SLOW_MS);
	return res.end(req.url === "/big" ? BIG : "fast");
}

const startApp = (stage) =>
	startSocketUpstream(stage, { connected: echo, handle });

// Asks for all kinds of things, and counts how often each is answered.
class Asker {
	constructor(connection) {
		this.connection = connection;
		this.closes = true; // chats that said something
		this.lasts = new Map(); // request_id → how many
		this.closed = new Set(); // chats that we closed
		this.more = new Set(); // chats with more than one message
		connection.ws.on("message", (text) =>
			this.take(connection.parse(text.toString()) ?? {}));
	}

	take({ type, request_id, data }) {
		if (type === "response_chunk" && this.closes &&
		    !this.closed.has(request_id)) {
			this.closed.add(request_id);
			this.more.add(request_id);
			this.action(request_id, "close");
		}
		if (type !== "http_proxy_response" && type !== "response_complete")
			return;
		// It was over when the next message came.
		if (this.more.has(request_id) &&
		    data?.message === "no such session")
			return;
		this.lasts.set(request_id, this.lasts.get(request_id) + 1);
	}

	begin() {
		const request_id = randomUUID();
		this.lasts.set(request_id, 0);
		return request_id;
	}

	request(path, headers = []) {
		this.connection.send({ type: "http_proxy_request",
			request_id: this.begin(), method: "GET", path, headers,
			body: null, query: null, proxy_base: null });
	}

	action(request_id, action, payload = {}) {
		this.connection.send({ type: "user_request", request_id, action,
			payload });
	}

	followUp(request_id) {
		this.connection.send({ type: "user_request_follow_up",
			request_id, payload: {} });
	}

	round() {
		for (const path of ["/fast", "/slow", "/big", "/broken", "none"])
			this.request(path);
		this.request("/fast", identity(1 + this.lasts.size % 50, "mona"));
		this.action(this.begin(), "chat.send", { text: "hello" });
		this.action(this.begin(), "dance");
		this.followUp(this.begin());
		const request_id = this.begin();
		this.more.add(request_id);
		this.action(request_id, "chat.subscribe");
		this.followUp(request_id);
	}

	start() {
		this.timer = setInterval(() => this.round(), EVERY_MS);
	}

	// When all that was said before has been passed on.
	async stop() {
		clearInterval(this.timer);
		this.connection.send({ type: "command",
			command: "refresh_status" });
		await this.connection.receive("status_update");
	}

	async check() {
		const left = () => [...this.lasts.values()].filter((n) => n === 0);
		await until(() => left().length === 0, "some have no answer",
			PATIENCE_MS).catch((error) => {
			throw new Error(`${error.message}: ${left().length} of ` +
				this.lasts.size);
		});
		await pause(AFTER_MS);
		for (const [id, n] of this.lasts)
			assert.equal(n, 1, id);
		assert.ok(this.lasts.size > 100, `only ${this.lasts.size}`);
	}
}

const kill = (name) => async ({ tetherd }) => {
	process.kill(tetherd.childPid(name), "SIGKILL");
	await tetherd.line(
		`lost child: ${name} terminated; signal 9 (Killed)`);
};

const EVENTS = {
	"nothing happens": () => {},
	"proxyd dies": kill("proxyd"),
	"authd dies": kill("authd"),
	"proxyd and authd die": async (all) => {
		await Promise.all([kill("proxyd")(all), kill("authd")(all)]);
	},
	"limits change": async ({ change, app }) => {
		for (const requests of [4, 256, 1, 256])
			await change(at(app,
				`limits {\n\trequests ${requests}\n}\n`));
	},
	"rules appear, and go": async ({ change, app }) => {
		await change(at(app, "policy {\n\tusers { mona }\n}\n"));
		await pause(100);
		await change(at(app));
	},
	"the web app moves": async ({ change, app }, stage) => {
		await change(at(await startApp(stage)));
		await pause(100);
		await change(at(app));
	},
	"the web app goes": async ({ app }) => app.close(),
};

async function start(stage, orchestrator) {
	const app = await startApp(stage);
	const conf = await startConf(stage, at(app));
	const all = await startInstance(stage, { args: conf.args, orchestrator,
		upstream: () => app, env: { PORT: undefined } });
	const asker = new Asker(all.connection);

	stage.atEnd(() => clearInterval(asker.timer));
	return { ...all, app, asker,
		change: (text) => conf.change(text, all.tetherd) };
}

describe("one answer each", { concurrency: 2 }, () => {
	for (const [name, happen] of Object.entries(EVENTS))
		scenario(name, async (stage) => {
			// What proxyd was saying when it died is cut.
			const all = await start(stage,
				{ cutMessages: name.includes("proxyd") });

			all.asker.start();
			await pause(200);
			await happen(all, stage);
			await pause(200);
			await all.asker.stop();
			await all.asker.check();
			assert.equal(all.tetherd.all("registered with").length, 1);
		});

	scenario("the end", async (stage) => {
		const { asker, connection, tetherd } = await start(stage);

		asker.start();
		await pause(300);
		asker.closes = false;
		await asker.stop();
		tetherd.signal("SIGTERM");
		assert.equal((await connection.closed).code, 1000);
		await asker.check();
		assert.equal((await tetherd.ended()).code, 0);
	});
});
