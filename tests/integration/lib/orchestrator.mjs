// An orchestrator that does what a test says, one message at a time.

import { randomUUID } from "node:crypto";
import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";

import { WebSocketServer } from "ws";

import { deadline, Queue } from "./time.mjs";

const MESSAGE_MAX = 256 * 1024 * 1024;

/*
 * options:
 *	tls		of node:https; absent: plain
 *	address		to listen on, 127.0.0.1 if absent
 *	register	false: `register` is left to the test, else the
 *			members that `registered` has besides type
 *	pending		the same for `pending_register`
 *	pong		false: `ping` stays unanswered
 *	admit		(request) => true, or a status line's rest and headers
 *			with which the upgrade is refused
 */
export class Orchestrator {
	constructor(options = {}) {
		this.options =
			{ register: {}, pending: {}, pong: true, ...options };
		this.upgrades = []; // every request for one, also refused ones
		this.refused = new Queue("refused upgrades");
		this.connections = new Queue("connections to the orchestrator");
	}

	static async start(stage, options) {
		const orchestrator = new Orchestrator(options);
		await orchestrator.listen();
		stage.atEnd(() => orchestrator.close());
		return orchestrator;
	}

	async listen(port = 0) {
		const { tls, address = "127.0.0.1" } = this.options;
		this.server = tls ? createSecure(tls) : createPlain();
		this.sockets = new Set();
		this.wss = new WebSocketServer({
			noServer: true,
			maxPayload: MESSAGE_MAX,
			perMessageDeflate: false,
		});
		this.server.on("connection", (socket) => {
			this.sockets.add(socket);
			socket.on("close", () => this.sockets.delete(socket));
		});
		this.server.on("upgrade", (req, socket, head) =>
			this.upgrade(req, socket, head));
		await new Promise((resolve, reject) => {
			this.server.on("error", reject);
			this.server.listen(port, address, resolve);
		});
		this.port = this.server.address().port;
		this.url = `${tls ? "wss://localhost" : `ws://${address}`}` +
			`:${this.port}/ws/connect`;
	}

	async close() {
		const closed = new Promise((resolve) =>
			this.server.close(resolve));
		for (const socket of this.sockets)
			socket.destroy();
		await closed;
	}

	// The next instance that connected.
	connection(timeout) {
		return this.connections.next(undefined, timeout);
	}

	// The next instance that connected and registered.
	async registered(timeout) {
		const connection = await this.connection(timeout);
		connection.register = await connection.receive("register");
		return connection;
	}

	// The next instance that waits to be claimed.
	async pending(timeout) {
		const connection = await this.connection(timeout);
		connection.pending =
			await connection.receive("pending_register");
		return connection;
	}

	upgrade(req, socket, head) {
		const entry = { url: req.url, headers: req.headers };
		this.upgrades.push(entry);
		const verdict = this.options.admit?.(req) ?? true;
		socket.on("error", () => {});
		if (verdict !== true) {
			socket.end(`HTTP/1.1 ${verdict}\r\n` +
				"Content-Length: 0\r\nConnection: close\r\n\r\n");
			this.refused.push(entry);
			return;
		}
		this.wss.handleUpgrade(req, socket, head, (ws) =>
			this.connections.push(
				new Connection(this.options, req, socket, ws)));
	}
}

class Connection {
	constructor(options, req, socket, ws) {
		this.url = req.url;
		this.headers = req.headers;
		this.socket = socket;
		this.ws = ws;
		this.options = options;
		this.messages = new Queue("messages from the instance");
		this.answers = new Map(); // request_id → function
		this.replies = new Map(); // the same for user_requests
		this.surplus = []; // answers that nobody asked for
		this.pings = 0; // of the WebSocket layer
		this.closed = new Promise((resolve) =>
			ws.on("close", (code, reason) =>
				resolve({ code, reason: reason.toString() })));
		ws.on("message", (data, binary) => this.take(data, binary));
		ws.on("error", () => {});
	}

	take(data, binary) {
		if (binary)
			throw new Error("binary message from the instance");
		const message = this.parse(data.toString());
		if (message === null)
			return;
		message.receivedAt = Date.now();
		if (message.type === "register" &&
		    this.options.register !== false)
			this.send({ type: "registered", success: true,
				message: "", ...this.options.register });
		if (message.type === "pending_register" &&
		    this.options.pending !== false)
			this.send({ type: "pending_registered", success: true,
				message: "", ...this.options.pending });
		if (message.type === "ping" && this.options.pong)
			this.pong(message);
		if (message.type === "http_proxy_response")
			return this.answer(message);
		if (this.replies.has(message.request_id))
			return this.replies.get(message.request_id)(message);
		this.messages.push(message);
	}

	// As Duratii does: its hub for those without a token wants another id.
	pong({ client_id, pending_id }) {
		const id = new URL(this.url, "ws://h").pathname
			.endsWith("/pending") ? { pending_id } : { client_id };
		if (Object.values(id)[0] === undefined)
			this.send({ type: "error", message: "Invalid message" });
		else
			this.send({ type: "pong", ...id });
	}

	// A message whose author died in the middle is no JSON.
	parse(text) {
		try {
			return JSON.parse(text);
		} catch (error) {
			if (!this.options.cutMessages)
				throw error;
			return null;
		}
	}

	answer(message) {
		const resolve = this.answers.get(message.request_id);
		if (resolve === undefined)
			return this.surplus.push(message);
		this.answers.delete(message.request_id);
		resolve(message);
	}

	// The next message of that type.
	receive(type, timeout) {
		return this.messages.next((m) => m.type === type, timeout);
	}

	// A message: an object, or text as it is.
	send(message) {
		this.ws.send(typeof message === "string"
			? message : JSON.stringify(message));
	}

	// Ask for something and wait for the answer; members add to or
	// replace those of a plain GET, undefined removes one.
	async request(members = {}, timeout = 35000) {
		const request_id = members.request_id ?? randomUUID();
		const answered = new Promise((resolve) =>
			this.answers.set(request_id, resolve));
		this.send({
			type: "http_proxy_request",
			request_id,
			method: "GET",
			path: "/",
			headers: [],
			body: null,
			query: null,
			proxy_base: null,
			...members,
		});
		return new Answer(await deadline(answered, timeout,
			`no answer: ${members.method ?? "GET"} ${members.path}`));
	}

	// Close, and wait until it is closed.
	async close(code = 1000, reason = "") {
		this.ws.close(code, reason);
		return this.closed;
	}
}

export class Answer {
	constructor(message) {
		Object.assign(this, message);
	}

	// The value of a header, null if it is not there.
	header(name) {
		const entry = this.headers.find(([n]) =>
			n.toLowerCase() === name.toLowerCase());
		return entry === undefined ? null : entry[1];
	}

	get bytes() {
		const base64 = this.header("x-orch-encoding") === "base64";
		return Buffer.from(this.body, base64 ? "base64" : "utf8");
	}

	get json() {
		return JSON.parse(this.body);
	}
}

// The identity headers, as the orchestrator adds them.
export function identity(id, login) {
	return [
		["X-Orchestrator-User-Id", String(id)],
		["X-Orchestrator-Username", login],
	];
}
