// A page with tunnels, at the orchestrator's side, and an upstream for it.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { WebSocketServer } from "ws";

import { startInstance } from "./instance.mjs";
import { identity } from "./orchestrator.mjs";
import { Queue } from "./time.mjs";
import { answersWatch } from "./upstream.mjs";

export const WINDOW = 262144;
const ACK_EVERY = 65536;
const PIECE = 65536;

const id = () => randomBytes(16).toString("base64url");
const size = (data) => Buffer.byteLength(data);

// The longest beginning that is a piece, and no half of a character.
function cut(data, at) {
	if (typeof data !== "string")
		return data.subarray(at, at + PIECE);
	const end = at + PIECE / 4;
	const half = /[\ud800-\udbff]/.test(data[end - 1] ?? "");
	return data.slice(at, half ? end - 1 : end);
}

/*
 * An upstream with WebSockets: connected(ws, request) for each, refused when
 * admit(request) says so with a status; handle(req, res) for the rest; address,
 * if it is another than 127.0.0.1; watched: whether what runs is up to handle()
 * and connected(), too.
 * sockets: a Queue of those that connected; open: how many are; connections:
 * the TCP connections that are there, of any kind.
 */
export async function startSocketUpstream(stage, options = {}) {
	const upstream = { sockets: new Queue("upstream sockets"), open: 0,
		upgrades: [], connections: new Set() };
	const { connections } = upstream;
	const server = createServer((req, res) =>
		(!options.watched && answersWatch(req, res)) ||
		(options.handle ?? ((_, r) => r.end("ok")))(req, res));
	const wss = new WebSocketServer({ noServer: true,
		perMessageDeflate: false, handleProtocols: options.protocols });

	server.on("connection", (socket) => {
		connections.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => connections.delete(socket));
	});
	server.on("upgrade", (req, socket, head) => {
		upstream.upgrades.push(req);
		const status = options.admit?.(req) ?? 101;
		if (status === 0)
			return;
		if (status !== 101)
			return socket.end(`HTTP/1.1 ${status} No\r\n` +
				"Content-Length: 0\r\nConnection: close\r\n\r\n");
		wss.handleUpgrade(req, socket, head, (ws) => {
			upstream.open++;
			ws.on("close", () => upstream.open--);
			ws.on("error", () => {});
			ws.socket = socket;
			ws.received = new Queue("messages of the page");
			ws.closed = new Promise((resolve) =>
				ws.on("close", (code, reason) =>
					resolve({ code, reason: reason.toString() })));
			ws.on("message", (data, binary) => {
				if (!options.deaf)
					ws.received.push(binary ? data : data.toString());
			});
			options.connected?.(ws, req);
			upstream.sockets.push(ws);
		});
	});
	await new Promise((resolve) =>
		server.listen(0, options.address ?? "127.0.0.1", resolve));
	upstream.port = server.address().port;
	upstream.close = async () => {
		const closed = new Promise((resolve) => server.close(resolve));
		for (const socket of connections)
			socket.destroy();
		await closed;
	};
	stage.atEnd(() => server.listening && upstream.close());
	return upstream;
}

// An upstream that sends every message back.
export const echo = (ws) => ws.on("message", (data, binary) =>
	ws.send(data, { binary }));

// A handle for a person, as a page asks for a new one.
export async function makeHandle({ connection }, who = 583231,
    login = "octocat") {
	const answer = await connection.request({ method: "POST",
		path: "/__tether/handle", proxy_base: "/clients/box/proxy",
		headers: identity(who, login) });
	return answer.json.handle;
}

// Instance, upstream and a page of octocat.
export async function startPage(stage, options = {}) {
	const instance = await startInstance(stage, { ...options,
		upstream: (s) => startSocketUpstream(s, options) });
	const page = new Page(instance.connection);
	page.handle = await makeHandle(instance);
	return { ...instance, page };
}

export class Page {
	constructor(connection) {
		this.connection = connection;
	}

	// A user_request; take(data, complete) gets its replies.
	request(action, payload, take) {
		const request_id = id();
		this.connection.replies.set(request_id, (message) => {
			const complete = message.type === "response_complete";
			if (complete)
				this.connection.replies.delete(request_id);
			take(message.data, complete);
		});
		this.connection.send({ type: "user_request", request_id, action,
			payload });
		return request_id;
	}

	// The last reply to a user_request; when the test ends nobody may be
	// waiting for it any more, so that it has no time limit of its own.
	ask(action, payload) {
		return new Promise((resolve) =>
			this.request(action, payload, (data, complete) =>
				complete && resolve(data)));
	}

	// A WebSocket; options.handle, .protocols; acks: false if the test
	// acknowledges, pongs: false to leave pings unanswered.
	open(path, options = {}) {
		return new Tunnel(this, "tunnel", { handle: this.handle, path,
			protocols: options.protocols ?? [],
			...(options.handle !== undefined && { handle: options.handle }),
		}, options);
	}

	stream(path, options = {}) {
		return new Tunnel(this, "stream", { handle: this.handle, path,
			method: "GET", headers: options.headers ?? [],
			...(options.handle !== undefined && { handle: options.handle }),
		}, options);
	}
}

export class Tunnel {
	constructor(page, kind, payload, { acks = true, pongs = true }) {
		Object.assign(this, { page, kind, acks, pongs });
		this.messages = new Queue(`messages of ${kind}`);
		this.denied = new Queue("messages that were held back");
		this.pieces = 0; // that came
		this.received = 0; // bytes of them
		this.acked = 0;
		this.unacknowledgedMax = 0;
		this.message = [];
		this.sent = 0; // pieces
		this.owed = 0; // bytes that are not credited
		this.credits = new Queue("credits");
		this.opened = new Promise((resolve) => {
			this.onOpen = resolve;
		});
		this.closed = new Promise((resolve) => {
			this.onClosed = resolve;
		});
		this.id = page.request(`${kind}.open`, payload,
			(data, complete) => this.take(data, complete));
	}

	tell(action, payload = {}) {
		return this.page.ask(`${this.kind}.${action}`,
			{ id: this.id, ...payload });
	}

	take(data, complete) {
		if (complete) {
			this.onOpen(data);
			this.onClosed(data);
		} else if (data.t === "open" || data.t === "head") {
			this.onOpen(data);
		} else if (data.t === "ping") {
			this.pinged = true;
			if (this.pongs)
				this.tell("pong");
		} else if (data.t === "denied") {
			this.denied.push(data);
		} else {
			this.piece(data);
		}
	}

	piece({ t, n, d, more }) {
		if (n !== this.pieces++)
			throw new Error(`piece ${n} is not ${this.pieces - 1}`);
		const data = t === "bin" ? Buffer.from(d, "base64") : d;
		this.received += size(data);
		this.unacknowledgedMax = Math.max(this.unacknowledgedMax,
			this.received - this.acked);
		this.message.push(data);
		if (!more) {
			this.messages.push(t === "bin"
				? Buffer.concat(this.message) : this.message.join(""));
			this.message = [];
		}
		if (this.acks && this.received - this.acked >= ACK_EVERY)
			this.ack();
	}

	ack(n = this.pieces) {
		if (n === this.pieces)
			this.acked = this.received;
		return this.tell("ack", { n });
	}

	// One piece, whatever its size and number.
	async sendPiece(n, data, more = false) {
		const reply = await this.tell("send", { n,
			...(typeof data === "string"
				? { d: data } : { b: data.toString("base64") }),
			...(more && { more }) });
		this.credits.push(reply);
		return reply;
	}

	// A message, in pieces, as the window allows; resolved when all of it
	// is on its way.
	async send(data) {
		let at = 0;
		do {
			const piece = cut(data, at);
			at += piece.length;
			while (this.owed > 0 && this.owed + size(piece) > WINDOW)
				await this.credits.next();
			this.owed += size(piece);
			this.sendPiece(this.sent++, piece, at < data.length)
				.then(({ credit }) => {
					this.owed -= credit;
				});
		} while (at < data.length);
	}

	close(code, reason) {
		return this.tell("close", { n: this.sent, code, reason });
	}

	// All pieces so far as one: for streams.
	get text() {
		return this.messages.items.join("");
	}
}
