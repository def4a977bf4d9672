// WebSockets to the page's own host, through tunnels.  The page's objects have
// the native prototype, whose members ask here when it is one of ours.

const { CloseEvent } = globalThis;

const CONNECTING = 0, OPEN = 1, CLOSING = 2, CLOSED = 3;
const OPEN_TIME = 30_000;
const CLOSE_TIME = 30_000;

// A refused piece means that the tunnel is gone; what became of it is told
// in a moment.
const DOUBT_TIME = 2_000;

const connections = new WeakMap();

class Connection {
	handlers = {};
	readyState = CONNECTING;
	protocol = "";
	extensions = "";
	binaryType = "blob";
	#target;
	#origin;
	#path;
	#protocols;
	#id;
	#asked = new Set();
	#handle = handle;
	#began = now();
	#timer;
	#opened = false;
	#failed = false;
	#closing = null; // what close() was given
	#parts = []; // of a message that goes on
	#arrivals = new Arrivals({
		take: (piece) => this.#take(piece),
		ready: () => true,
		tell: (n) => tell("tunnel.ack", { id: this.#id, n }),
		broken: () => this.#break(),
	});
	#outgoing = new Outgoing({
		send: (piece, done) => this.#send(piece, done),
		drained: () => this.#sendClose(),
		broken: () => this.#break(),
	});

	constructor(target, url, path, protocols) {
		this.url = url.href;
		this.#target = target;
		this.#origin = url.origin;
		this.#path = path;
		this.#protocols = protocols;
		holdSocket(this);
		this.#timer = setTimeout(() => this.#expire(), OPEN_TIME);
		this.#id = ask("tunnel.open", { handle, path, protocols },
			(data, complete) => this.#hear(data, complete));
	}

	get bufferedAmount() {
		return this.#outgoing.buffered;
	}

	send(pieces, size) {
		if (this.readyState === OPEN)
			this.#outgoing.add(pieces, size);
		else
			this.#outgoing.buffered += size;
	}

	close(code, reason) {
		if (this.readyState === CONNECTING) {
			this.readyState = CLOSING;
			if (this.#failed)
				return;
			this.leave();
			this.#forget();
			setTimeout(() => this.#finish(1006, "", false), 0);
		} else if (this.readyState === OPEN) {
			this.readyState = CLOSING;
			this.#closing = { code, reason };
			this.#outgoing.pump();
		}
	}

	// The page goes, or gives up.
	leave() {
		tell("tunnel.close", { id: this.#id, n: this.#outgoing.sent });
	}

	#hear(data, complete) {
		if (complete)
			this.#end(data);
		else if (data.t === "open")
			this.#open(data);
		else if (data.t === "ping")
			tell("tunnel.pong", { id: this.#id });
		else if (data.t === "text" || data.t === "bin")
			this.#arrivals.add(data);
		else if (data.t === "denied")
			this.#denied(data);
	}

	// What was sent last got no further than to proxyd.
	#denied({ message, advice, answer }) {
		showNotice(message, advice);
		if (typeof answer === "string" && this.readyState === OPEN)
			this.#tell(answer);
	}

	#open({ protocol }) {
		if (this.readyState !== CONNECTING || this.#opened)
			return;
		// One of those that were offered must be taken.
		if (this.#protocols.length > 0 && !protocol) {
			this.#break();
			return;
		}
		clearTimeout(this.#timer);
		noteSuccess(this.#path);
		this.#opened = true;
		this.readyState = OPEN;
		this.protocol = `${protocol ?? ""}`;
		fire(this.#target, new Event("open"));
		this.#arrivals.start();
	}

	#take({ bytes, text, more }) {
		this.#parts.push(text ?? bytes);
		if (!more) {
			const data = this.#assemble(text !== null);
			this.#parts = [];
			// One that says close() hears no more.
			if (this.readyState === OPEN)
				this.#tell(data);
		}
	}

	#tell(data) {
		fire(this.#target, new MessageEvent("message",
			{ data, origin: this.#origin }));
	}

	#assemble(isText) {
		if (isText)
			return this.#parts.join("");
		if (this.binaryType === "blob")
			return new Blob(this.#parts);
		const whole = new Uint8Array(this.#parts.reduce(
			(size, part) => size + part.length, 0));
		let at = 0;
		for (const part of this.#parts) {
			whole.set(part, at);
			at += part.length;
		}
		return whole.buffer;
	}

	#send(piece, done) {
		const id = ask("tunnel.send", { id: this.#id, ...piece },
			(data) => {
				this.#asked.delete(id);
				if (data.lost)
					return;
				if (!data.error)
					done();
				else
					this.#expireIn(DOUBT_TIME);
			});
		this.#asked.add(id);
	}

	#sendClose() {
		if (this.#closing === null)
			return;
		tell("tunnel.close", { id: this.#id, n: this.#outgoing.sent,
			...this.#closing });
		this.#closing = null;
		this.#expireIn(CLOSE_TIME);
	}

	#expireIn(time) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#expire(), time);
	}

	#expire() {
		if (!this.#opened)
			giveUpConnecting();
		this.#break();
	}

	#break() {
		if (this.readyState === CLOSED || this.#failed)
			return;
		this.leave();
		this.#end(LOST);
	}

	// Nothing that comes later counts.
	#forget() {
		clearTimeout(this.#timer);
		this.#arrivals.stop();
		this.#outgoing.stop();
		questions.delete(this.#id);
		for (const id of this.#asked)
			questions.delete(id);
		releaseSocket(this);
	}

	#end(data) {
		const { t, code, reason = "", clean, advice } = data;
		// Nothing follows: what is missing now is lost.
		const isOrderly = t === "close" && Number.isInteger(code) &&
			this.#arrivals.complete;

		this.#forget();
		noticeEnd(reason, advice);
		if (!this.#opened)
			this.#fail(`${reason}`);
		else if (isOrderly && clean)
			this.#finish(code, `${reason}`, true);
		else
			this.#finish(1006, "", false,
				isOrderly && code !== 1006);
	}

	#fail(reason) {
		const wait = this.#began + failureDelay(this.#path) - now();

		this.#failed = true;
		if (reason.startsWith("403"))
			renewHandle(this.#handle);
		setTimeout(() => this.#finish(1006, "", false),
			Math.max(0, wait));
	}

	// The web app may have failed, at opening it or in what it sent.
	#finish(code, reason, wasClean, failed = !this.#opened) {
		if (this.readyState === CLOSED)
			return;
		this.readyState = CLOSED;
		if (failed)
			fire(this.#target, new Event("error"));
		fire(this.#target, new CloseEvent("close",
			{ code, reason, wasClean }));
	}
}

const socketError = (what, name, why) => new DOMException(
	`Failed to ${what} 'WebSocket': ${why}`, name);

// A string or a sequence of strings, each a token of HTTP and there once.
function protocolList(value) {
	const isList = typeof value === "object" &&
		typeof value?.[Symbol.iterator] === "function";
	const list = value === undefined ? [] :
		isList ? Array.from(value, (item) => `${item}`) : [`${value}`];

	for (const [i, name] of list.entries())
		if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ||
			list.indexOf(name) !== i)
			throw socketError("construct", "SyntaxError",
				`The subprotocol '${name}' is invalid or ` +
				"duplicated.");
	return list;
}

// The handle says who it is, a token in the query does not.
function withoutToken(url, isTaken) {
	const stripped = new URL(url);
	const isToken = (pair) => {
		const [name, value = ""] = pair.split("=");
		return name === "token" && isTaken(value);
	};

	stripped.search = url.search.slice(1).split("&")
		.filter((pair) => !isToken(pair)).join("&");
	return stripped;
}

patchConstructor("WebSocket", (args, newTarget, native) => {
	let url;

	try {
		url = new URL(`${args[0]}`, baseURI());
	} catch {
		return native(...args);
	}
	if (args.length === 0 || !/^(?:http|ws)s?:$/.test(url.protocol) ||
		url.host !== location.host)
		return native(...args);
	url.protocol = url.protocol.replace(/^http/, "ws");
	if (url.href.includes("#"))
		throw socketError("construct", "SyntaxError", "The URL " +
			`contains a fragment identifier ('${url.hash}').`);
	const protocols = protocolList(args[1]);
	const path = appPath(withoutToken(url, () => true));
	const direct = callbackURL(path, true);
	if (direct !== null)
		return native(direct, ...args.slice(1));
	const target = construct(EventTarget, [], newTarget);
	connections.set(target, new Connection(target, url, path, protocols));
	return target;
});

const { prototype: socketPrototype } = WebSocket;

for (const name of ["url", "readyState", "bufferedAmount", "extensions",
	"protocol", "binaryType"])
	patchAccessor(socketPrototype, name, {
		get: (self, native) => connections.has(self) ?
			connections.get(self)[name] : native(),
	});
patchAccessor(socketPrototype, "binaryType", {
	set(self, value, native) {
		const connection = connections.get(self);
		if (connection === undefined)
			native(value);
		else if (["blob", "arraybuffer"].includes(`${value}`))
			connection.binaryType = `${value}`;
	},
});
patchHandlers(socketPrototype, connections,
	["open", "message", "error", "close"]);

const byteLength =
	getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;

function isArrayBuffer(value) {
	try {
		return apply(byteLength, value, []) >= 0;
	} catch {
		return false;
	}
}

const objectText = Object.prototype.toString;
const isShared = (value) =>
	apply(objectText, value, []) === "[object SharedArrayBuffer]";

// A copy of them, or null where there are none.  A buffer that was given away
// is empty.
function bytesOf(data) {
	const isView = ArrayBuffer.isView(data);

	if (isShared(isView ? data.buffer : data))
		throw new TypeError("Failed to execute 'send' on " +
			"'WebSocket': The memory must not be shared.");
	if (!isView && !isArrayBuffer(data))
		return null;
	if (data.byteLength === 0)
		return new Uint8Array();
	return isView ? new Uint8Array(data.buffer, data.byteOffset,
		data.byteLength).slice() : new Uint8Array(data).slice();
}

patchMethod(socketPrototype, "send", (self, args, native) => {
	const connection = connections.get(self);
	const [data] = args;

	if (connection === undefined)
		return native(...args);
	if (args.length === 0)
		throw new TypeError("Failed to execute 'send' on " +
			"'WebSocket': 1 argument required, but only 0 " +
			"present.");
	const bytes = bytesOf(data);
	const isBlob = data instanceof Blob;
	// A string by its value at this moment, and without half characters.
	const text = bytes || isBlob ? null :
		`${data}`.replace(/\p{Surrogate}/gu, "\ufffd");
	if (connection.readyState === CONNECTING)
		throw socketError("execute 'send' on", "InvalidStateError",
			"Still in CONNECTING state.");
	if (isBlob)
		connection.send(blobPieces(data), data.size);
	else if (bytes)
		connection.send(bytesPieces(bytes), bytes.length);
	else
		connection.send(textPieces(text), encoder.encode(text).length);
});

patchMethod(socketPrototype, "close", (self, args, native) => {
	const connection = connections.get(self);
	let [code, reason] = args;

	if (connection === undefined)
		return native(...args);
	if (code !== undefined)
		code = Math.min(Math.max(Math.round(Number(code)) || 0, 0),
			65535);
	if (reason !== undefined)
		reason = `${reason}`.replace(/\p{Surrogate}/gu, "\ufffd");
	// A reason needs a code.
	if (code === undefined ? reason !== undefined :
		code !== 1000 && (code < 3000 || code > 4999))
		throw socketError("execute 'close' on", "InvalidAccessError",
			"The close code must be either 1000, or between " +
			`3000 and 4999. ${code} is neither.`);
	if (encoder.encode(reason).length > 123)
		throw socketError("execute 'close' on", "SyntaxError",
			"The close reason must not be greater than 123 UTF-8 " +
			"bytes.");
	connection.close(code, reason);
});
