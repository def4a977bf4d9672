// What tether-hub talks to: instances, browsers and pending instances.

import { createRequire } from "node:module";

import { TOKEN } from "./programs.mjs";
import { deadline } from "./time.mjs";

const WebSocket = createRequire(import.meta.url)("ws");

export class Peer {
	constructor(stage, url, options = {}) {
		this.messages = [];
		this.waiting = [];
		this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
		this.ws.on("message", (data, binary) =>
			this.take(binary ? data : JSON.parse(data)));
		this.closed = new Promise((resolve) =>
			this.ws.on("close", (code, reason) =>
				resolve({ code, reason: reason.toString() })));
		this.open = new Promise((resolve, reject) => {
			this.ws.on("open", resolve);
			this.ws.on("error", reject);
			this.ws.on("unexpected-response", (req, res) => {
				res.resume();
				reject(Object.assign(new Error(`${res.statusCode}`),
					{ status: res.statusCode }));
			});
		});
		this.open.catch(() => {});
		stage.atEnd(() => this.ws.terminate());
	}

	take(message) {
		const at = this.waiting.findIndex((w) => w.type === message.type);
		if (at === -1)
			this.messages.push(message);
		else
			this.waiting.splice(at, 1)[0].resolve(message);
	}

	// The first message of the type that nobody took yet.
	next(type) {
		const at = this.messages.findIndex((m) => m.type === type);
		if (at !== -1)
			return Promise.resolve(this.messages.splice(at, 1)[0]);
		return deadline(
			new Promise((resolve) => this.waiting.push({ type, resolve })),
			10000, `no ${type}`);
	}

	send(message) {
		this.ws.send(typeof message === "string" || Buffer.isBuffer(message)
			? message : JSON.stringify(message));
	}

	// Answer what the hub asked.
	answer(request, status, headers, body) {
		this.send({ type: "http_proxy_response",
			request_id: request.request_id, status, headers, body });
	}
}

export const instanceUrl = (hub, id, token = TOKEN) =>
	`${hub.connectUrl}?token=${encodeURIComponent(token)}&client_id=${id}`;

// An instance that is registered; registered is what the hub said.
export async function startPeer(stage, hub, id = "box", metadata = {}) {
	const peer = new Peer(stage, instanceUrl(hub, id));
	await peer.open;
	peer.send({ type: "register", client_id: id, user_token: TOKEN,
		metadata: { hostname: "host", project: "/p", platform: "linux",
			status: "idle", version: "1", ...metadata } });
	peer.registered = await peer.next("registered");
	return peer;
}

export async function startBrowser(stage, hub, options) {
	const browser = new Peer(stage, `${hub.connectUrl}?type=browser`, options);
	await browser.open;
	return browser;
}
