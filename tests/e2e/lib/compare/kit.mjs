// What the rows have in the page.  The function is evaluated there: nothing
// of this file is in its scope.

export function makeKit(prefix) {
	// Rows may replace these.
	const { setTimeout, fetch } = window;
	const { origin } = location;
	const websocketOrigin = origin.replace(/^http/, "ws");
	const TYPES = ["open", "message", "error", "close"];

	// URLs as they are at the app's own root.
	const normal = (text) => text.replaceAll(websocketOrigin, "ws:own")
		.replaceAll(origin, "http:own")
		.replaceAll(location.host, "own")
		.replaceAll(prefix === "" ? "\0\0" : prefix, "");

	function hash(bytes) {
		let h = 2166136261;
		for (const byte of bytes)
			h = Math.imul(h ^ byte, 16777619);
		return h >>> 0;
	}

	// A value that survives the way to the test; what is long is a hash.
	function digest(value) {
		if (typeof value === "string") {
			return value.length < 200 ? normal(value) : ["text",
				value.length,
				hash(new TextEncoder().encode(value))];
		} else if (value instanceof Blob) {
			const entry = ["blob", value.type, value.size];
			entry.pending = value.arrayBuffer().then((buffer) =>
				entry.push(hash(new Uint8Array(buffer))));
			return entry;
		} else if (value instanceof ArrayBuffer) {
			return ["buffer", value.byteLength,
				hash(new Uint8Array(value))];
		} else if (Array.isArray(value)) {
			const list = value.map(digest);
			list.pending = Promise.all(list.map((one) =>
				one?.pending));
			return list;
		} else if (value === undefined || Number.isNaN(value)) {
			return `(${value})`;
		} else if (typeof value === "function") {
			return `(function ${value.name})`;
		} else if (value !== null && typeof value === "object") {
			return Object.fromEntries(Object.entries(value)
				.map(([name, one]) => [name, digest(one)]));
		}
		return value;
	}

	class Row {
		entries = [];
		ends = [];

		constructor(key) {
			this.key = key; // of its own, on either side
		}

		log(...values) {
			this.entries.push(digest(values));
		}

		// What a call returns or throws.
		attempt(what, call) {
			try {
				this.log(what, call());
			} catch (error) {
				this.log(what, "throws", error.name,
					error.constructor.name, error.code);
			}
		}

		async attemptLater(what, call) {
			try {
				this.log(what, await call());
			} catch (error) {
				this.log(what, "rejects", error?.name ?? error);
			}
		}

		// Write down all events of a WebSocket or an EventSource.
		watch(target, types = TYPES) {
			for (const type of types)
				target.addEventListener(type, (event) =>
					this.note(target, event));
			return target;
		}

		note(target, event) {
			const more = event instanceof CloseEvent ?
				[event.code, event.reason, event.wasClean] :
				event instanceof MessageEvent ?
				[event.data, event.origin, event.lastEventId] :
				[];
			this.log(event.type, event.constructor.name,
				target.readyState, ...more);
		}

		socket(path, ...protocols) {
			const socket = new WebSocket(path, ...protocols);
			this.atEnd(() => socket.close());
			return this.watch(socket);
		}

		source(path, types = []) {
			const source = new EventSource(path);
			this.atEnd(() => source.close());
			return this.watch(source,
				["open", "message", "error", ...types]);
		}

		atEnd(call) {
			this.ends.push(call);
		}

		once(target, type) {
			return new Promise((resolve) =>
				target.addEventListener(type, resolve,
					{ once: true }));
		}

		// Until that many messages came.
		messages(target, count = 1) {
			return new Promise((resolve) =>
				target.addEventListener("message", () =>
					--count === 0 && resolve()));
		}

		// Until a message says that it is the last one.
		last(target) {
			return new Promise((resolve) =>
				target.addEventListener("message", ({ data }) =>
					data === "end" && resolve()));
		}

		wait(time) {
			return new Promise((resolve) =>
				setTimeout(resolve, time));
		}

		// What the server saw of the connection with the row's key.
		async seen(count) {
			let log;
			for (let i = 0; i < 100; i++) {
				log = await (await fetch(
					`/seen?key=${this.key}`)).json();
				if (log?.length >= count)
					break;
				await this.wait(20);
			}
			this.log("seen", ...log ?? []);
		}
	}

	return async (name, run, limit) => {
		const row = new Row(encodeURIComponent(name + prefix));
		const late = new Promise((resolve) =>
			setTimeout(resolve, limit, "late"));
		const failure = await Promise.race([late,
			Promise.resolve().then(() => run(row))
				.then(() => null, (error) =>
				`${error.stack}`)]);
		// What the end of the row brings about is no part of it.
		const entries = [...row.entries];
		if (failure !== null)
			entries.push(`row failed: ${normal(failure)}`);
		for (const end of row.ends)
			end();
		await Promise.all(entries.map(({ pending }) => pending));
		return entries;
	};
}
