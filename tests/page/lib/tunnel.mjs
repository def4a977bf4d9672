// A WebSocket of the page, and proxyd's end of its tunnel.

// events: what the socket told so far.
export function connect(page, url = "/ws", protocols = undefined) {
	const { hub, window } = page;
	const socket = new window.WebSocket(url, protocols);
	const events = [];
	for (const type of ["open", "message", "error", "close"])
		socket.addEventListener(type, (event) => events.push(
			type === "message" ? ["message", event.data] :
				type === "close" ? ["close", event.code,
					event.reason, event.wasClean] : [type]));
	return {
		socket, events,
		// Waits for the open that belongs to this one.
		async asked() {
			await hub.pump();
			return this.open ??= hub.last("tunnel.open");
		},
		async accept(protocol = "") {
			await this.asked();
			this.say({ t: "open", protocol });
			return this;
		},
		say(data, complete = false) {
			hub.reply(this.open, data, complete);
		},
		text(n, d, more) {
			this.say({ t: "text", n, d, more });
		},
		end(code = 1000, reason = "", clean = true) {
			this.say({ t: "close", code, reason, clean }, true);
		},
		// All is sent and acknowledged; blobs take their own time.
		async flushed() {
			for (let i = 0; socket.bufferedAmount > 0; i++) {
				if (i === 2000)
					throw new Error("it does not end");
				await new Promise((done) =>
					setTimeout(done, 1));
				await hub.pump();
			}
		},
		get sent() {
			return hub.of("tunnel.send").filter((m) =>
				m.payload.id === this.open.request_id)
				.map((m) => m.payload);
		},
	};
}

// One that is open.
export const accepted = (page, ...args) => connect(page, ...args).accept();
