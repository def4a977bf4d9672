// The orchestrator's end of the browser socket, with proxyd behind it.

import { settle } from "./clock.mjs";

const AUTOMATIC = /(?:send|ack|pong|close|cancel)$/;

export class Hub {
	messages = []; // all that pages sent
	sockets = [];
	isReachable = true;
	// Answers to what needs none of a test's attention.
	automatic = true;
	#clock;
	#answered = new Set();

	constructor(clock) {
		this.#clock = clock;
	}

	// Called for all native WebSockets of the page.
	add(socket) {
		if (!socket.url.includes("/ws/connect"))
			return;
		this.sockets.push(socket);
		if (this.isReachable !== null)
			queueMicrotask(() => {
				if (socket.readyState === 0)
					socket.accept(this.isReachable ? 1 : 3);
			});
	}

	get socket() {
		return this.sockets.at(-1);
	}

	// Takes what was sent since, answers what is automatic.
	async pump() {
		await settle();
		for (const socket of this.sockets)
			for (const text of socket.sentToServer.splice(0)) {
				const message = JSON.parse(text);
				message.socket = socket;
				this.messages.push(message);
				if (this.automatic && AUTOMATIC.test(
					message.action))
					this.answer(message);
			}
		await settle();
	}

	// Until that many of a kind were sent: blobs take their own time.
	async until(action, count) {
		for (let i = 0; this.of(action).length < count; i++) {
			if (i === 2000)
				throw new Error(`no ${count} of ${action}`);
			await new Promise((done) => setTimeout(done, 1));
			await this.pump();
		}
	}

	of(action) {
		return this.messages.filter((m) => m.action === action);
	}

	last(action) {
		return this.of(action).at(-1);
	}

	// data to a message, as the end of its answer unless more comes.
	reply(message, data, complete = false) {
		message.socket.dispatchEvent(new MessageEvent("message", {
			data: JSON.stringify({ type: "forwarded_response",
				client_id: message.client_id,
				request_id: message.request_id,
				data, complete }),
		}));
	}

	answer(message) {
		if (this.#answered.has(message))
			return;
		this.#answered.add(message);
		const { d, b } = message.payload;
		const credit = d === undefined ? atob(b ?? "").length :
			Buffer.byteLength(d);
		this.reply(message, message.action === "tunnel.send" ?
			{ ok: true, credit } : { ok: true }, true);
	}
}
