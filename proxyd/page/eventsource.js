// EventSource, over a stream (HTML standard, "Server-sent events").

const RETRY = 3000;

const STREAM_TYPE = /^\s*text\/event-stream\s*(?:;|$)/i;
const FOREIGN_CHARSET = /;\s*charset\s*=\s*(?!"?utf-8\b)/i;

// CONNECTING and OPEN are as with WebSockets.
const ENDED = 2;

const sources = new WeakMap();

class EventParser {
	lastId = "";
	#decoder = new TextDecoder(); // drops a byte order mark
	#rest = "";
	#afterReturn = false;
	#data = [];
	#type = "";
	#hooks;

	// event(type, data, lastId) and retry(milliseconds).
	constructor(lastId, hooks) {
		this.lastId = lastId;
		this.#hooks = hooks;
	}

	feed(bytes) {
		let text = this.#decoder.decode(bytes, { stream: true });

		if (text === "")
			return;
		if (this.#afterReturn && text[0] === "\n")
			text = text.slice(1);
		this.#afterReturn = text === "" ? false : text.endsWith("\r");
		const lines = (this.#rest + text).split(/\r\n|\r|\n/);
		this.#rest = lines.pop();
		for (const line of lines)
			this.#line(line);
	}

	#line(line) {
		if (line === "") {
			this.#dispatch();
			return;
		}
		const [, name, value = ""] =
			/^([^:]*)(?:: ?(.*))?$/s.exec(line);
		if (name === "data")
			this.#data.push(value);
		else if (name === "event")
			this.#type = value;
		else if (name === "id" && !value.includes("\0"))
			this.lastId = value;
		else if (name === "retry" && /^[0-9]+$/.test(value))
			this.#hooks.retry(Number(value));
	}

	#dispatch() {
		const data = this.#data;
		const type = this.#type || "message";

		this.#data = [];
		this.#type = "";
		if (data.length > 0)
			this.#hooks.event(type, data.join("\n"), this.lastId);
	}
}

class Source {
	handlers = {};
	readyState = CONNECTING;
	#target;
	#url;
	#stream;
	#timer;
	#retry = RETRY;
	#lastId = "";
	#isOpen = false;

	constructor(target, url, withCredentials) {
		this.url = url.href;
		this.withCredentials = withCredentials;
		this.#target = target;
		this.#url = url;
		this.#connect();
	}

	close() {
		this.readyState = ENDED;
		clearTimeout(this.#timer);
		this.#stream.cancel();
	}

	#connect() {
		const headers = [["Accept", "text/event-stream"],
			["Cache-Control", "no-cache"]];
		const parser = new EventParser(this.#lastId, {
			retry: (time) => this.#retry = time,
			event: (...args) => this.#event(...args),
		});

		if (this.#lastId !== "")
			headers.push(["Last-Event-ID", this.#lastId]);
		this.#isOpen = false;
		this.#stream = new Stream(this.#url, headers, {
			ready: () => true,
			redirected: () => true,
			head: (status, given) => this.#head(status, given),
			data: (bytes) => parser.feed(bytes),
			end: (error) => this.#end(error),
		});
	}

	#head(status, headers) {
		const type = fieldOf(headers, "content-type") ?? "";

		if (status !== 200 || !STREAM_TYPE.test(type) ||
			FOREIGN_CHARSET.test(type)) {
			this.close();
			fire(this.#target, new Event("error"));
			return;
		}
		this.#isOpen = true;
		this.readyState = OPEN;
		fire(this.#target, new Event("open"));
	}

	#event(type, data, lastEventId) {
		this.#lastId = lastEventId;
		if (this.readyState !== ENDED)
			fire(this.#target, new MessageEvent(type,
				{ data, lastEventId, origin: this.#url.origin }));
	}

	#end(error) {
		// Refused for good, with a handle that is not to be renewed.
		if (`${error}`.startsWith("403")) {
			this.readyState = ENDED;
		} else {
			const path = streamPath(this.#url);
			const wait = this.#isOpen ? 0 : failureDelay(path);
			this.readyState = CONNECTING;
			this.#timer = setTimeout(() => this.#connect(),
				Math.max(this.#retry, wait, 250));
		}
		fire(this.#target, new Event("error"));
	}
}

patchConstructor("EventSource", (args, newTarget, native) => {
	let url;

	try {
		url = new URL(`${args[0]}`, baseURI());
	} catch {
		return native(...args);
	}
	const isDictionary = args[1] == null ||
		["object", "function"].includes(typeof args[1]);
	if (args.length === 0 || !isDictionary || !isOwn(url))
		return native(...args);
	const direct = callbackURL(appPath(withoutToken(url, () => true)),
		false);
	if (direct !== null)
		return native(direct, ...args.slice(1));
	const target = construct(EventTarget, [], newTarget);
	sources.set(target, new Source(target, url,
		Boolean(args[1]?.withCredentials)));
	return target;
});

const eventSource = globalThis.EventSource?.prototype;

for (const name of ["url", "readyState", "withCredentials"])
	patchAccessor(eventSource, name, {
		get: (self, native) => sources.has(self) ?
			sources.get(self)[name] : native(),
	});
patchHandlers(eventSource, sources, ["open", "message", "error"]);
patchMethod(eventSource, "close", (self, args, native) =>
	sources.has(self) ? sources.get(self).close() : native(...args));
