// Event streams.  Each row runs in the page.

export const STREAM_ROWS = {
	"EventSource, names": (row) => {
		row.log(EventSource.name, EventSource.length,
			String(EventSource),
			Object.keys(EventSource),
			Object.getOwnPropertyNames(EventSource),
			Object.keys(EventSource.prototype),
			EventSource.prototype.constructor === EventSource);
		const found =
			Object.getOwnPropertyDescriptors(EventSource.prototype);
		for (const [name, one] of Object.entries(found))
			for (const [key, value] of Object.entries(one))
				row.log(name, key, value, ...typeof value ===
					"function" ? [value.name, value.length,
						String(value)] : []);
		row.attempt("function", () => EventSource("/es/never"));
		row.attempt("no URL", () => new EventSource());
		row.attempt("bad URL", () => new EventSource("http://["));
		row.attempt("prototype", () => EventSource.prototype.url);
		row.attempt("dictionary", () =>
			new EventSource("/es/never", 5).close());
		row.attempt("null", () =>
			new EventSource("/es/never", null).close());
		row.attempt("symbol", () => new EventSource(Symbol("x")));
	},
	"EventSource, an instance": (row) => {
		const source = new EventSource("es/never?x#y",
			{ withCredentials: 1 });
		const names = [];
		for (const name in source)
			names.push([name, source[name]]);
		row.log(...names);
		row.log(Object.keys(source), String(source),
			source instanceof EventSource);
		row.attempt("close", () => source.close());
		row.log(source.readyState);
		source.close();
		row.log(new EventSource({ toString: () => "/es/never" }).url);
	},
	...Object.fromEntries(["plain", "named", "ids", "crlf", "bom",
	"unknown",
		"unfinished", "nul"].map((name) => [`EventSource: ${name}`,
		new Function("row", `return (async () => {
			for (const way of ["", "&bytewise"]) {
				const source = row.source(
					"/es/text?name=${name}" + way, ["tick",
					"end"]);
				await row.last(source);
				await row.wait(60);
				source.close();
			}
		})()`)])),
	"EventSource: UTF-8 in pieces": async (row) => {
		const source = row.source("/es/utf8");
		await row.last(source);
	},
	"EventSource: again, with the last id": async (row) => {
		const source = row.source(`/es/again?key=${row.key}`);
		for (let i = 0; i < 3; i++)
			await row.once(source, "error");
		row.log(source.readyState);
	},
	"EventSource: broken off": async (row) => {
		const source = row.source(`/es/break?key=${row.key}`);
		await row.once(source, "error");
		await row.once(source, "error");
	},
	"EventSource: retry that is none": async (row) => {
		const source = row.source(`/es/retry?key=${row.key}`);
		await row.once(source, "error");
		await row.once(source, "error");
	},
	"EventSource: status": async (row) => {
		for (const status of [204, 404, 500, 206, 401]) {
			const source =
				row.source(`/es/status?status=${status}`);
			row.log(status);
			await row.once(source, "error");
			await row.wait(20);
			row.log(source.readyState);
			source.close();
		}
	},
	"EventSource: type": async (row) => {
		for (const type of ["text/plain", "text/html",
			"application/json", "",
			"text/event-stream;charset=utf-8",
			"TEXT/Event-Stream; x=y",
			"text/event-stream; charset=latin1",
			"text/event-streams", " text/event-stream ;"]) {
			const source = row.source("/es/type?type=" +
				encodeURIComponent(type));
			row.log(type);
			await Promise.race([row.once(source, "error"),
				row.last(source)]);
			source.close();
		}
	},
	"EventSource: redirected": async (row) => {
		const source = row.source("/es/redirect");
		await Promise.race([row.once(source, "error"),
			row.last(source)]);
		row.log(source.url);
	},
	"EventSource: closed in a handler": async (row) => {
		const source = row.source("/es/text?name=plain");
		source.onmessage = () => source.close();
		await row.once(source, "message");
		await row.wait(100);
		row.log(source.readyState);
		const early = row.source("/es/text?name=plain");
		early.onopen = () => early.close();
		await row.once(early, "open");
		await row.wait(100);
	},
	"EventSource: handlers and events": async (row) => {
		const source = new EventSource("/es/text?name=ids");
		source.onopen = function (event) {
			row.log(this === source, event.type, event.bubbles,
				event.cancelable, event.constructor.name);
		};
		source.onmessage = (event) => {
			row.log(event.data, event.lastEventId, event.origin,
				event.source, event.ports, event.cancelable,
				event.constructor.name,
				event.target === source);
			if (event.data === "b")
				source.onmessage = null;
		};
		await row.last(source);
		source.close();
	},
	"EventSource: big": async (row) => {
		const source = row.source("/es/big");
		await row.last(source);
	},
	"EventSource: many": async (row) => {
		const source = row.source("/es/many");
		await row.last(source);
	},
	"fetch of an event stream": async (row) => {
		const options = { headers: { Accept: "text/event-stream" } };
		const answer = await fetch("/es/text?name=plain&ends", options);
		row.log(answer.status, answer.statusText, answer.ok,
			answer.type,
			answer.url, answer.redirected, answer.bodyUsed,
			answer.headers.get("content-type"));
		row.log(await answer.text(), answer.bodyUsed);
		const open = await fetch("/es/text?name=nul", options);
		row.log(open.status);
		const abort = new AbortController();
		const other = await fetch("/es/text?name=plain",
			{ ...options, signal: abort.signal });
		const reader = other.body.getReader();
		const { value, done } = await reader.read();
		row.log(value.length > 0, done, value.constructor.name);
		abort.abort();
		await row.attemptLater("read", async () => {
			for (;;)
				await reader.read();
		});
		await row.attemptLater("aborted before", () =>
			fetch("/es/text?name=plain",
				{ ...options, signal: AbortSignal.abort() }));
		const never = new AbortController();
		const asked = fetch("/es/never",
			{ ...options, signal: never.signal });
		setTimeout(() => never.abort("mine"), 50);
		await row.attemptLater("aborted meanwhile", () => asked);
	},
	"fetch of an event stream that is none": async (row) => {
		const options = { headers: { Accept: "text/event-stream" } };
		for (const path of ["/missing", "/text", "/empty", "/bytes",
			"/redirect"]) {
			const answer = await fetch(path, options);
			row.log(path, answer.status, answer.url,
				answer.redirected,
				answer.type, answer.ok);
			row.log(await answer.arrayBuffer());
		}
		const broken = await fetch(`/es/break?key=${row.key}`, options);
		await row.attemptLater("broken off", () => broken.text());
		const parts = await fetch("/es/text?name=plain&ends", options);
		const [one, two] = parts.body.tee();
		row.log(await new Response(one).text(),
			await new Response(two).text());
		const cloned = await fetch("/es/text?name=plain&ends", options);
		const clone = cloned.clone();
		row.log(clone.url, await clone.text(), await cloned.text());
	},
};
