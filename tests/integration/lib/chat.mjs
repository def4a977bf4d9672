// Chat sessions: browsers at the orchestrator's side, and an upstream for
// what they say.

import { randomBytes } from "node:crypto";

import { startConf } from "./conf-file.mjs";
import { startInstance } from "./instance.mjs";
import { deadline, Queue } from "./time.mjs";
import { startSocketUpstream } from "./tunnel.mjs";

// Whom the upstream sees, in a JWT.
export const jwtOf = (req) => JSON.parse(Buffer.from(
	new URL(req.url, "http://h").searchParams.get("token").split(".")[1],
	"base64url"));

// The settings; the instance itself asks for nothing.
const settings = (text) => `upstream {\n\twatch runs no\n}\n${text}`;

/*
 * Instance, upstream (options as for startSocketUpstream) and a browser; text
 * is what else stands in tetherd.conf, and change(text) puts another one there.
 */
export async function startChats(stage, options = {}) {
	const conf = await startConf(stage, settings(options.text ?? ""));
	const all = await startInstance(stage, { ...options,
		args: [...options.args ?? [], ...conf.args],
		upstream: (s) => startSocketUpstream(s, options) });
	return { ...all, conf, browser: new Browser(all.connection),
		change: (text, line) =>
			conf.change(settings(text), all.tetherd, line) };
}

export class Browser {
	constructor(connection) {
		this.connection = connection;
	}

	begin(action, payload, id = randomBytes(16).toString("base64url")) {
		return new Session(this.connection, id).act(action, payload);
	}

	// One that its upstream has; its first message is taken.
	async open(upstream, action = "chat.send", payload = {}) {
		const session = this.begin(action, payload);
		session.ws = await upstream.sockets.next();
		session.first = JSON.parse(await session.ws.received.next());
		return session;
	}
}

// What is said and heard under one request_id.
export class Session {
	constructor(connection, id) {
		Object.assign(this, { connection, id });
		this.chunks = new Queue("chunks");
		this.errors = new Queue("errors");
		this.ends = []; // response_completes: of a session there is one
		this.end = new Promise((resolve) => {
			this.onEnd = resolve;
		});
		connection.replies.set(id, (message) => this.take(message));
	}

	take({ type, data, message, auth_error }) {
		if (type === "response_chunk")
			return this.chunks.push(data);
		if (type === "error")
			return this.errors.push({ message,
				...(auth_error && { auth_error }) });
		this.ends.push(data);
		this.onEnd(data);
	}

	// As Duratii passes it on, also for one that is there.
	act(action, payload) {
		this.connection.send({ type: "user_request", request_id: this.id,
			action, payload });
		return this;
	}

	// As other orchestrators do.
	followUp(payload, members = {}) {
		this.connection.send({ type: "user_request_follow_up",
			request_id: this.id, payload, ...members });
		return this;
	}

	ended(ms = 15000) {
		return deadline(this.end, ms, `no end of ${this.id}`);
	}

	chunk() {
		return this.chunks.next();
	}
}

// When this is answered, all that was said before has been looked at.
export const settle = ({ connection }) => connection.request();
