// Answers that come bit by bit, which the orchestrator's HTTP would hold back
// until their end.

const { ReadableStream } = globalThis;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECTS_MAX = 20;

class Stream {
	#url;
	#path;
	#redirects = 0;
	#headers;
	#hooks;
	#id = null;
	#handle;
	#timer;
	#renewed = false;
	#begun = false; // the head is there
	#done = false;
	#arrivals = new Arrivals({
		take: ({ bytes }) => this.#hooks.data(bytes),
		ready: () => this.#hooks.ready(),
		tell: (n) => tell("stream.ack", { id: this.#id, n }),
		broken: () => this.#break("broken"),
	});

	// head(status, headers, source), data(bytes), then end(error): null if
	// all is there; ready(): is it time for more?; redirected(): may it be?
	constructor(url, headers, hooks) {
		this.#url = url;
		this.#headers = headers;
		this.#hooks = hooks;
		holdSocket(this);
		this.#open();
	}

	// The reader has read.
	acknowledge() {
		if (!this.#done)
			this.#arrivals.acknowledge();
	}

	// No hook is called any more.
	cancel() {
		if (this.#done)
			return;
		this.leave();
		this.#forget();
	}

	leave() {
		tell("stream.cancel", { id: this.#id });
	}

	#open() {
		this.#handle = handle;
		this.#path = streamPath(this.#url);
		this.#timer = setTimeout(() => {
			giveUpConnecting();
			this.#break("504 no answer");
		}, OPEN_TIME);
		this.#id = ask("stream.open", { handle, method: "GET",
			path: this.#path, headers: this.#headers },
			(data, complete) => this.#hear(data, complete));
	}

	#hear(data, complete) {
		clearTimeout(this.#timer);
		if (complete)
			this.#end(data);
		else if (data.t === "head")
			this.#head(data);
		else if (data.t === "ping")
			tell("stream.pong", { id: this.#id });
		else if (data.t === "text" || data.t === "bin")
			this.#arrivals.add(data);
	}

	#head({ status, headers }) {
		if (this.#begun)
			return;
		const given = Array.isArray(headers) ?
			headers.filter(Array.isArray) : [];
		const location = fieldOf(given, "location");
		if (REDIRECTS.has(status) && location !== undefined) {
			this.#follow(location);
			return;
		}
		this.#begun = true;
		noteSuccess(this.#path);
		this.#hooks.head(status, given, { type: "basic",
			url: withoutFragment(this.#url).href,
			redirected: this.#redirects > 0 });
		if (!this.#done)
			this.#arrivals.start();
	}

	#follow(location) {
		let url = null;

		try {
			url = new URL(location, this.#url);
		} catch {
			// Broken like one that leads elsewhere.
		}
		if (url === null || !isOwn(url) || !this.#hooks.redirected() ||
			++this.#redirects > REDIRECTS_MAX) {
			this.#break("502 redirected");
			return;
		}
		noteSuccess(this.#path);
		this.leave();
		questions.delete(this.#id);
		this.#url = url;
		this.#open();
	}

	#break(error) {
		if (this.#done)
			return;
		this.leave();
		this.#end({ t: "end", error });
	}

	#end(data) {
		const isWhole = data.t === "end" && this.#begun &&
			this.#arrivals.complete;
		const error = data.error ?? (isWhole ? null : "502 lost");

		if (!this.#begun && `${error}`.startsWith("403") &&
			!this.#renewed) {
			this.#again(data);
			return;
		}
		this.#forget();
		noticeEnd(error, data.advice);
		this.#hooks.end(error);
	}

	// Once more, if it was the handle that had expired.
	async #again(data) {
		this.#renewed = true;
		const isOther = await renewHandle(this.#handle);
		if (this.#done)
			return;
		if (isOther)
			this.#open();
		else
			this.#end(data);
	}

	#forget() {
		this.#done = true;
		clearTimeout(this.#timer);
		this.#arrivals.stop();
		questions.delete(this.#id);
		releaseSocket(this);
	}
}

const fieldOf = (headers, wanted) => headers.find(([name]) =>
	`${name}`.toLowerCase() === wanted)?.[1];

function withoutFragment(url) {
	const without = new URL(url);

	without.hash = "";
	return without;
}

const EVENT_STREAM = /(?:^|,)\s*text\/event-stream\s*(?:$|[,;])/i;
const isHandle = (value) => value.startsWith("tether_");
const streamPath = (url) => appPath(withoutToken(url, isHandle));

// A fetch that says it wants a stream.
answerRequest = (request) => {
	const url = new URL(request.url);

	return request.method === "GET" && isOwn(url) &&
		request.redirect !== "manual" &&
		EVENT_STREAM.test(request.headers.get("accept") ?? "") ?
		fetchStream(request, url) : null;
};

function fetchStream(request, url) {
	const { signal } = request;
	let controller = null;
	let stream = null;

	return new Promise((resolve, reject) => {
		const fail = (error) => {
			controller?.error(error);
			reject(error);
		};
		const abort = () => {
			stream.cancel();
			fail(signal.reason);
		};
		const hooks = {
			ready: () => !controller || controller.desiredSize > 0,
			redirected: () => request.redirect === "follow",
			head(status, headers, from) {
				try {
					resolve(withSource(makeResponse(
						status, headers), from));
				} catch {
					stream.cancel();
					fail(new TypeError("Failed to fetch"));
				}
			},
			data: (bytes) => controller?.enqueue(bytes),
			end(error) {
				apply(removeEventListener, signal,
					["abort", abort]);
				if (error === null)
					controller?.close();
				else
					fail(new TypeError("Failed to fetch"));
			},
		};
		const source = {
			start: (given) => controller = given,
			pull: () => stream.acknowledge(),
			cancel: () => stream.cancel(),
		};
		const makeResponse = (status, headers) => {
			const body = [204, 205, 304].includes(status) ? null :
				new ReadableStream(source, { size: (chunk) =>
					chunk.length, highWaterMark: PIECE });
			return new Response(body, { status, headers });
		};

		if (signal.aborted) {
			reject(signal.reason);
			return;
		}
		apply(addEventListener, signal, ["abort", abort]);
		stream = new Stream(url, [...request.headers], hooks);
	});
}
