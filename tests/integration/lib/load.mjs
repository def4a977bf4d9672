// Requests without a pause, each with a number, and the account of all.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { identity } from "./orchestrator.mjs";
import { Page, startSocketUpstream } from "./tunnel.mjs";
import { deadline, until } from "./time.mjs";

const BIG = 300000;
const TAKES_MS = { slow: 1200, long: 3000 };
const TALK_AT_ONCE = 4;

// What requests of each kind ask for, and how many there are at once.
const KINDS = {
	small: { workers: 5 },
	slow: { workers: 3 },
	big: { workers: 1 },
	post: { workers: 1, method: "POST" },
};
const PAUSE_MS = 2;
const TALK_PAUSE_MS = 5;

// What it says that is about to leave, and takes no more.
export const LEAVING = /^the instance is (reconnecting; try again|stopping)$/;

export const PEOPLE = { ada: 7, bob: 8, eve: 9 };
const who = (login) => identity(PEOPLE[login], login);

// Different for each number, and of any length.
const fill = (n, size) => `${n},`.repeat(Math.ceil(size / 2)).slice(0, size);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Who a token names, and which of the secrets signed it.
function readToken(header, secrets) {
	const [head, payload, signature] =
		(header ?? "").replace(/^Bearer /, "").split(".");
	if (signature === undefined)
		return {};
	const signed = (secret) => createHmac("sha256", secret)
		.update(`${head}.${payload}`).digest("base64url") === signature;
	const { username } =
		JSON.parse(Buffer.from(payload, "base64url").toString());
	return { user: username, secret: secrets.find(signed) };
}

async function readBody(req) {
	const pieces = [];
	for await (const piece of req)
		pieces.push(piece);
	return Buffer.concat(pieces).toString();
}

/*
 * A web app of that name that says in each answer who it is, the number, who
 * asked, and which of the secrets signed the token; seen: how often it was
 * asked for a number; talks: the numbers of messages that came in each tunnel.
 */
export async function startCounter(stage, name, secrets) {
	const seen = new Map();
	const talks = new Map();
	const answer = async (req, res) => {
		const [, kind, text] = req.url.split("/");
		const n = Number(text);
		seen.set(n, (seen.get(n) ?? 0) + 1);
		const body = await readBody(req);
		await pause(TAKES_MS[kind] ?? 0);
		res.setHeader("Content-Type", "text/plain");
		res.end(JSON.stringify({ at: name, n,
			...readToken(req.headers.authorization, secrets),
			good: kind !== "post" || body === fill(n, BIG) }) +
			`\n${kind === "big" ? fill(n, BIG) : ""}`);
	};
	const connected = (ws, req) => {
		const talk = { up: 0, down: 0 };
		talks.set(req.url.split("?")[0], talk);
		ws.on("message", (data) => {
			if (data.toString() !== `up ${talk.up++}`)
				talk.wrong ??= `${data} is not ${talk.up - 1}`;
			for (let i = 0; i < 2; i++)
				ws.send(`down ${talk.down++}`);
		});
	};
	const upstream = await startSocketUpstream(stage, {
		handle: (req, res) => answer(req, res).catch(() => res.destroy()),
		connected,
	});
	return Object.assign(upstream, { name, seen, talks });
}

// A tunnel that carries numbered messages both ways until stop().
export class Talk {
	static async open(connection, handle, path, upstream) {
		const talk = new Talk();
		const page = new Page(connection);
		page.handle = handle;
		Object.assign(talk, { path, upstream, up: 0, down: 0, on: true,
			tunnel: page.open(path) });
		talk.tunnel.messages = { push: (message) => talk.take(message) };
		talk.tunnel.closed.then((how) => {
			talk.ended = how;
		});
		const opened = await deadline(talk.tunnel.opened, 15000,
			`${path} does not open`);
		assert.equal(opened.t, "open", JSON.stringify(opened));
		talk.say();
		return talk;
	}

	say() {
		for (let i = 0; i < TALK_AT_ONCE; i++)
			this.tunnel.send(`up ${this.up++}`);
	}

	take(message) {
		if (message !== `down ${this.down++}`)
			this.wrong ??= `${message} is not ${this.down - 1}`;
		if (this.on && this.down === 2 * this.up)
			setTimeout(() => this.on && this.say(), TALK_PAUSE_MS);
	}

	// Until so many more messages came.
	more(n = 20) {
		const wanted = this.down + n;
		return until(() => this.down >= wanted || this.ended,
			`no messages in ${this.path}`);
	}

	// What was said has arrived, at both ends.
	async stop() {
		this.on = false;
		await until(() => this.down === 2 * this.up || this.ended,
			`messages of ${this.path} got lost`);
		const { up, down } = this.upstream.talks.get(this.path);
		assert.equal(this.ended, undefined, "the tunnel ended");
		this.isRight();
		assert.deepEqual([up, down], [this.up, this.down]);
	}

	// It ends, as the web app is another one.
	async moves() {
		const { code } = await deadline(this.tunnel.closed, 5000,
			`${this.path} stays`);
		assert.equal(code, 1012);
		this.leave();
	}

	// Its end is in order: what came by then has to be, too.
	leave() {
		this.on = false;
		this.left = true;
		this.isRight();
	}

	isRight() {
		assert.equal(this.wrong, undefined);
		assert.equal(this.upstream.talks.get(this.path).wrong, undefined);
	}
}

export class Load {
	// upstreams: all that may answer; people: who ask, by turns.
	constructor(connection, upstreams, people = ["ada", "bob"]) {
		Object.assign(this, { upstreams, people, on: true, leaving: false,
			stubborn: false, records: [], connections: new Set() });
		this.use(connection);
		this.workers = Object.entries(KINDS).flatMap(([kind, { workers }]) =>
			Array.from({ length: workers }, () => this.work(kind)));
	}

	// From now on by this connection.
	use(connection) {
		this.connection = connection;
		this.connections.add(connection);
		this.leaving = false;
		connection.closed.then(() => this.cut(connection));
		this.onUse?.();
	}

	// No answer will come any more.
	cut(connection) {
		if (connection === this.connection)
			this.leaving = true;
		for (const answered of [...connection.answers.values()])
			answered(null);
	}

	async work(kind) {
		while (this.on) {
			if (this.leaving)
				await this.another();
			else
				await this.ask(kind);
			await pause(PAUSE_MS);
		}
	}

	// Until there is another connection, or the end.
	another() {
		this.waiting ??= new Promise((resolve) => {
			this.onUse = () => {
				this.waiting = undefined;
				resolve();
			};
		});
		return this.waiting;
	}

	// A request with its number in the path: its record, once answered.
	async ask(kind = "small", login) {
		const n = this.records.length;
		const { connection } = this;
		const record = { n, kind, connection, sent: performance.now(),
			login: login ?? this.people[n % this.people.length],
			asked: login !== undefined };
		this.records.push(record);
		const answer = await connection.request({
			request_id: `n${n}`,
			method: KINDS[kind]?.method ?? "GET",
			path: `/${kind}/${n}`,
			headers: who(record.login),
			body: kind === "post" ? fill(n, BIG) : null,
		});
		this.take(record, answer);
		return record;
	}

	take(record, answer) {
		record.status = answer.status;
		record.answered = performance.now();
		if (answer.status === undefined)
			return;
		const [head, rest = ""] = answer.body.split("\n");
		record.said = JSON.parse(head);
		record.whole = rest ===
			(record.kind === "big" ? fill(record.n, BIG) : "");
		if (LEAVING.test(record.said.error) &&
		    record.connection === this.connection && !this.stubborn)
			this.leaving = true;
	}

	// Until so many of those that begin now were answered.
	more(n = 60) {
		const from = this.records.length;
		return until(() => this.records.slice(from).filter((record) =>
			record.status !== undefined).length >= n, "no more answers");
	}

	async stop() {
		this.on = false;
		this.onUse?.();
		await Promise.all(this.workers);
	}

	/*
	 * Stop, and see that each was answered once, and rightly; may(record)
	 * says whether it may have another status than 200.  Those that the end
	 * of their connection cut off never got anywhere.
	 */
	async account(may = () => false) {
		await this.stop();
		const sum = { sent: this.records.length, good: 0, other: 0, cut: 0 };
		for (const connection of this.connections)
			assert.deepEqual(connection.surplus, [], "answered twice");
		const cut = new Set();
		for (const record of this.records) {
			const verdict = this.judge(record, may);
			sum[verdict]++;
			// What comes before the end is answered, all of it.
			if (verdict === "cut")
				cut.add(record.connection);
			else
				assert.ok(!cut.has(record.connection),
					`${record.n} comes behind a lost one`);
		}
		return sum;
	}

	judge(record, may) {
		const { connection, ...shown } = record;
		const { n, status, said } = record;
		const text = JSON.stringify(shown);
		const seen = this.upstreams.reduce((sum, upstream) =>
			sum + (upstream.seen.get(n) ?? 0), 0);

		assert.ok(seen <= 1, `asked for ${seen} times: ${text}`);
		if (status === undefined) {
			assert.equal(seen, 0, `lost: ${text}`);
			assert.notEqual(connection.ws.readyState, 1, text);
			return "cut";
		}
		if (status !== 200) {
			assert.ok(record.asked ? status < 500 : may(record), text);
			// Told to try again, so that it must not have been done.
			assert.ok(status !== 503 || seen === 0, text);
			return "other";
		}
		assert.equal(seen, 1, text);
		assert.ok(said.n === n && said.good && record.whole, text);
		assert.equal(said.user, record.login, text);
		return "good";
	}
}
