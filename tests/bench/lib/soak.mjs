// A daemon that is used a great deal, and what is left over of it: nothing.

import { randomUUID } from "node:crypto";

import { ask } from "../../integration/lib/control.mjs";
import { startConf } from "../../integration/lib/conf-file.mjs";
import { identity, Orchestrator } from
	"../../integration/lib/orchestrator.mjs";
import { startTetherd } from "../../integration/lib/programs.mjs";
import { deadline } from "../../integration/lib/time.mjs";
import { makeHandle, Page, startSocketUpstream } from
	"../../integration/lib/tunnel.mjs";
import { count, differences, figuresOf } from "./figures.mjs";

const KIB = 1024;
const MIB = 1024 * KIB;
const BIG = "x".repeat(MIB);
const POSTED = "é".repeat(5000);
const REQUESTS_AT_ONCE = 64;
const SESSIONS_AT_ONCE = 16;
const QUIET_MS = 40000;
const LOOK_MS = 250;
// libcurl looks for kept connections that ended once in a second.
const REST_LOOKS = 8;
// Nothing may take longer than this.
const PATIENCE_MS = 60000;

const SETTINGS = `limits {
	request time 1s
	tunnels per minute 0
	requests per second 0
	failures per minute 0
}
`;

/*
 * Bounds on what each process may have more of private memory than before the
 * phase: the first number for what is not given back at once, and then so many
 * bytes for each unit.  What leaks stays below only if it is little.
 */
export const BOUNDS = {
	cycles: [384 * KIB, 512],
	// A heap that had many answers in it at once keeps some.
	requests: [3 * MIB, 40],
	sessions: [512 * KIB, 512],
	tunnels: [512 * KIB, 512],
	reloads: [512 * KIB, 4096],
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Call the function with 0 to n - 1, some at once.
async function spread(n, atOnce, body) {
	let next = 0;
	await Promise.all(Array.from({ length: Math.min(atOnce, n) },
		async () => {
			while (next < n)
				await body(next++);
		}));
}

function expect(good, text) {
	if (!good)
		throw new Error(text);
}

/*
 * The web app: /small, /big, /post, /missing, /broken that ends without an
 * answer, /slow that never has one; WebSockets that echo, and on /ws chats
 * that answer each message with three, the last of which names its number.
 */
async function startApp(stage) {
	const app = await startSocketUpstream(stage, {
		watched: true,
		connected: (ws, req) => req.url.startsWith("/ws")
			? chat(ws) : ws.on("message", (data, binary) =>
				ws.send(data, { binary })),
		handle: (req, res) => {
			const url = new URL(req.url, "http://h");
			// Kept connections come and go, also that of what asks
			// what runs: there are none when it is to be quiet.
			if (app.quiet)
				res.setHeader("Connection", "close");
			req.resume();
			req.on("end", () => serve(url.pathname, req, res));
		},
	});
	return app;
}

function chat(ws) {
	ws.on("message", (data) => {
		const { n, leave } = JSON.parse(data);
		ws.send(JSON.stringify({ type: "session-created", n }));
		ws.send(`no JSON ${n}`);
		ws.send(JSON.stringify({ type: "claude-complete", n }));
		if (leave)
			ws.close(1000);
	});
}

function serve(path, req, res) {
	switch (path) {
	case "/big":
		res.setHeader("Content-Type", "text/plain");
		return res.end(BIG);
	case "/broken":
		return res.socket.destroy();
	case "/slow":
		return undefined;
	case "/missing":
		res.statusCode = 404;
		return res.end("missing");
	case "/api/providers/sessions/running":
		res.setHeader("Content-Type", "application/json");
		return res.end('{"data":{"sessions":[]}}');
	default:
		return res.end(`${req.method} ${path}`);
	}
}

// How an orchestrator can end the connection.
const ENDS = {
	async close({ connection }) {
		connection.ws.close(1000, "bye");
	},
	async fin({ connection }) {
		connection.socket.end();
	},
	async rst({ connection }) {
		connection.socket.resetAndDestroy();
	},
	async "close, with requests outstanding"({ connection }) {
		for (let i = 0; i < 5; i++)
			send(connection, "/slow");
		await answered(connection, "/small");
		connection.ws.close(1001);
	},
	async "rst, with requests outstanding"({ connection }) {
		for (const path of ["/slow", "/small", "/big", "/broken"])
			send(connection, path);
		connection.socket.resetAndDestroy();
	},
	async "in the middle of an answer"({ connection }) {
		const begun = new Promise((resolve) =>
			connection.socket.once("data", resolve));
		send(connection, "/big");
		await deadline(begun, PATIENCE_MS, "no answer begins");
		connection.socket.resetAndDestroy();
	},
	async "in the middle of a request"({ connection }) {
		// Of a text of 60,000 octets the first few.
		connection.socket.write(Buffer.concat([
			Buffer.from([0x81, 126, 0xea, 0x60]),
			Buffer.from('{"type":"http_proxy_request","request_id":"')]));
		connection.socket.end();
	},
	async "with a tunnel and a chat"({ connection }) {
		const page = new Page(connection);
		page.handle = await makeHandle({ connection });
		page.open("/talk");
		page.request("claude-command", { n: 1 }, () => {});
		await answered(connection, "/small");
		connection.socket.resetAndDestroy();
	},
	// Before it said who it is, and before it was told that it is welcome.
	async "before it registers"(soak) {
		await soak.next({ register: false }, async (connection) =>
			connection.socket.resetAndDestroy());
	},
	async "before it is registered"(soak) {
		await soak.next({ register: false }, async (connection) => {
			await connection.receive("register");
			connection.socket.end();
		});
	},
};

const message = (path, members = {}) => ({ method: "GET", path, headers: [],
	body: null, query: null, proxy_base: "/clients/box/proxy", ...members });

// Without waiting for the answer.
const send = (connection, path) => connection.send({
	type: "http_proxy_request", request_id: randomUUID(), ...message(path) });

async function answered(connection, path, status = 200, members = {}) {
	const answer = await connection.request(message(path, members),
		PATIENCE_MS);
	expect(answer.status === status,
		`${path}: ${answer.status} ${answer.body.slice(0, 200)}`);
	return answer;
}

// By the number of the request: mostly small ones.
async function oneRequest(connection, i) {
	if (i % 200 === 1)
		expect((await answered(connection, "/big")).body === BIG, "/big");
	else if (i % 500 === 2)
		await answered(connection, "/slow", 504);
	else if (i % 50 === 3)
		await answered(connection, "/missing", 404);
	else if (i % 50 === 4)
		await answered(connection, "/broken", 502);
	else if (i % 20 === 5)
		await answered(connection, "/post", 200,
			{ method: "POST", body: POSTED });
	else if (i % 100 === 6)
		await answered(connection, "nowhere", 400);
	else
		await answered(connection, "/small");
}

// A chat session of one message or two, closed by the one side or the other.
async function oneSession(connection, i) {
	const request_id = randomUUID();
	const rounds = 1 + i % 2;
	const leave = i % 4 < 2;
	let chunks = 0;
	const say = (type, members) => connection.send({ type, request_id,
		...members });
	const payload = (round) => ({ n: i, leave: leave && round === rounds });
	const next = () => {
		if (chunks === 3 * rounds && !leave)
			say("user_request", { action: "close", payload: {} });
		else if (chunks === 3 && rounds === 2)
			say("user_request_follow_up", { payload: payload(2) });
	};
	const over = new Promise((resolve, reject) => {
		connection.replies.set(request_id, ({ type, data, message: m }) => {
			if (type === "error")
				return reject(new Error(`chat: ${m}`));
			if (type === "response_complete")
				return resolve(data);
			chunks++;
			return next();
		});
	});
	say("user_request", { action: "claude-command", payload: payload(1) });
	const data = await deadline(over, PATIENCE_MS, "a chat does not end");
	connection.replies.delete(request_id);
	expect(chunks === 3 * rounds && data.code === 1000,
		`chat: ${chunks} chunks, ${JSON.stringify(data)}`);
}

async function oneTunnel(page, i) {
	const tunnel = page.open(`/talk/${i}`);
	const opened = await deadline(tunnel.opened, PATIENCE_MS, "no tunnel");
	expect(opened.t === "open", `tunnel: ${JSON.stringify(opened)}`);
	const text = `message ${i} `.repeat(1 + i % 100);
	await tunnel.send(text);
	expect(await tunnel.messages.next(undefined, PATIENCE_MS) === text,
		"another message comes back");
	await tunnel.close(1000, "");
	await deadline(tunnel.closed, PATIENCE_MS, "a tunnel stays open");
}

export class Soak {
	static async start(stage) {
		const soak = new Soak();
		soak.rows = [];
		soak.faults = [];
		soak.orchestrator = await Orchestrator.start(stage,
			{ cutMessages: true });
		soak.app = await startApp(stage);
		soak.conf = await startConf(stage, SETTINGS);
		soak.tetherd = await startTetherd(stage, {
			args: soak.conf.args,
			env: {
				ORCHESTRATOR_URL: soak.orchestrator.url,
				ORCHESTRATOR_RECONNECT_INTERVAL: "1",
				PORT: String(soak.app.port),
			},
		});
		await soak.next();
		await soak.tetherd.registered();
		soak.pids = soak.processes();
		return soak;
	}

	processes() {
		const { tetherd } = this;
		const pids = { tetherd: tetherd.pid };
		for (const name of ["connector", "proxyd", "authd"])
			pids[name] = tetherd.childPid(name);
		return pids;
	}

	// The next connection; body: what to do with it, in place of using it.
	async next(options = {}, body = undefined) {
		const { orchestrator } = this;
		if (body !== undefined) {
			// This one is closed for another that is not answered.
			Object.assign(orchestrator.options, options);
			this.connection.ws.close(1000);
			const other = await orchestrator.connection(PATIENCE_MS);
			orchestrator.options.register = {};
			await body(other);
			return;
		}
		// One that was replaced at once does not count.
		for (;;) {
			const connection =
				await orchestrator.connection(PATIENCE_MS);
			connection.closed.then(() =>
				connection.messages.push({ type: "register" }));
			const { client_id } = await connection.receive("register");
			if (client_id === undefined)
				continue;
			this.connection = connection;
			return;
		}
	}

	async cycles(n) {
		const ends = Object.entries(ENDS);
		for (let i = 0; i < n; i++) {
			const [name, end] = ends[i % ends.length];
			await end(this).catch((error) => {
				throw new Error(`${name}: ${error.message}`);
			});
			await this.next().catch((error) => {
				throw new Error(`after ${name}: ${error.message}`);
			});
		}
		await answered(this.connection, "/small");
	}

	async requests(n) {
		await spread(n, REQUESTS_AT_ONCE, (i) =>
			oneRequest(this.connection, i));
		expect(this.connection.surplus.length === 0, "answered twice");
	}

	sessions(n) {
		return spread(n, SESSIONS_AT_ONCE, (i) =>
			oneSession(this.connection, i));
	}

	async tunnels(n) {
		const page = new Page(this.connection);
		page.handle = await makeHandle(this);
		await spread(n, SESSIONS_AT_ONCE, (i) => oneTunnel(page, i));
	}

	// Settings read again, and connections made anew, by turns.
	async reloads(n) {
		for (let i = 0; i < n; i++) {
			await ask(this.tetherd, "reload");
			await ask(this.tetherd, "reconnect");
			await this.next();
			await answered(this.connection, "/small");
		}
	}

	figures() {
		const lost = this.tetherd.all("lost child");
		if (lost.length > 0)
			throw new Error(lost.join("\n"));
		return Object.fromEntries(Object.entries(this.pids)
			.map(([name, pid]) => [name, figuresOf(pid)]));
	}

	// Figures once they are as they were, or did not become so in time.
	async quiet(was) {
		const end = performance.now() + QUIET_MS;
		this.app.quiet = true;
		for (;;) {
			// As somebody, for whom authd opens its databases.
			await answered(this.connection, "/small", 200,
				{ headers: identity(583231, "octocat") });
			await pause(LOOK_MS);
			const now = this.figures();
			if (was === undefined ? this.rests(now)
				: this.compare(was, now).length === 0 ||
				performance.now() > end) {
				this.app.quiet = false;
				return now;
			}
		}
	}

	// For a beginning: the same for some time.
	rests(now) {
		const same = this.last !== undefined &&
			this.compare(this.last, now).length === 0;
		this.last = now;
		this.looks = same ? this.looks + 1 : 0;
		return this.looks >= REST_LOOKS;
	}

	compare(was, now) {
		return Object.keys(this.pids).flatMap((name) =>
			differences(name, was[name], now[name]));
	}

	/*
	 * Do that many of a phase and look at what it leaves behind; bounds are
	 * multiplied by looseness.
	 */
	async phase(name, n, looseness = 1) {
		const was = this.left ?? await this.quiet();
		const start = performance.now();
		await this[name](n);
		const seconds = (performance.now() - start) / 1000;
		const now = await this.quiet(was);
		this.left = now;
		this.faults.push(...this.compare(was, now)
			.map((text) => `${name}: ${text}`));
		for (const process of Object.keys(this.pids))
			this.weigh(name, n, process, was[process], now[process],
				looseness, seconds);
	}

	weigh(name, n, process, was, now, looseness, seconds) {
		const [slack, each] = BOUNDS[name];
		const bound = (slack + each * n) * looseness;
		const grown = now.dirty - was.dirty;
		const mib = (bytes) => (bytes / MIB).toFixed(2);
		this.rows.push([`${n} ${name}`, seconds.toFixed(1), process,
			`${count(was.descriptors)}/${count(now.descriptors)}`,
			`${count(was.children.running)}/` +
				`${count(now.children.running)}`,
			`${was.threads}/${now.threads}`, mib(was.rss), mib(now.rss),
			mib(was.dirty), mib(now.dirty), mib(bound),
			grown > bound ? "LEFT" : "ok"]);
		if (grown > bound)
			this.faults.push(`${name}: ${process} has ` +
				`${mib(grown)} MiB more than before, ` +
				`${(grown / n).toFixed(0)} bytes each; ` +
				`${mib(bound)} are allowed`);
	}
}

export const HEAD = ["phase", "s", "process", "descriptors", "children",
	"threads", "RSS", "then", "dirty", "then", "bound", ""];
