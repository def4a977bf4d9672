// EventSource, and fetches that want a stream.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";

const TYPE = ["content-type", "text/event-stream; charset=utf-8"];
const KIB = 1024;

// The stream that was opened last.
async function opened(page) {
	await page.hub.pump();
	const open = page.hub.last("stream.open");
	return {
		open, ...open?.payload,
		say: (data, complete) => page.hub.reply(open, data, complete),
		head(status = 200, headers = [TYPE]) {
			this.say({ t: "head", status, headers });
			return this;
		},
		text(n, d) {
			this.say({ t: "text", n, d });
			return this;
		},
		end(error) {
			this.say({ t: "end", error }, true);
		},
	};
}

function listen(page, url = "/api/events", types = ["message"], options) {
	const source = new page.window.EventSource(url, options);
	const events = [];
	for (const type of ["open", "error", ...types])
		source.addEventListener(type, (event) => events.push(
			types.includes(type) ?
				[type, event.data, event.lastEventId] :
				[type, source.readyState]));
	return { source, events };
}

describe("EventSource", () => {
	test("what is asked for", async () => {
		const page = openPage();
		await eachRow([["/api/e?a=1", "/api/e?a=1"],
			[`${BASE}/e`, "/e"], ["e", "/e"],
			["http://hub.test/e", "/e"],
			["/e?token=tether_x&b=1", "/e?b=1"],
			["/e?token=other", "/e?token=other"],
		], async ([url, path]) => {
			const { source } = listen(page, url);
			const stream = await opened(page);
			assert.equal(stream.path, path);
			assert.equal(stream.method, "GET");
			assert.equal(stream.handle, "tether_one");
			assert.deepEqual(stream.headers, [
				["Accept", "text/event-stream"],
				["Cache-Control", "no-cache"]]);
			assert.equal(source.url, new URL(url,
				page.document.baseURI).href);
		});
	});

	test("its members", async () => {
		const page = openPage();
		const { EventSource } = page.window;
		const { source } = listen(page, "/e", [],
			{ withCredentials: true });
		assert.equal(source.readyState, 0);
		assert.equal(source.withCredentials, true);
		assert.equal(listen(page).source.withCredentials, false);
		assert.equal(source.onmessage, null);
		assert.ok(source instanceof EventSource);
		assert.ok(source instanceof EventTarget);
		const seen = [];
		source.onopen = () => seen.push("open");
		source.onmessage = ({ data }) => seen.push(data);
		source.onerror = () => seen.push("error");
		(await (listen(page), opened(page)));
		const [open] = page.hub.of("stream.open");
		page.hub.reply(open, { t: "head", status: 200,
			headers: [TYPE] });
		page.hub.reply(open, { t: "text", n: 0, d: "data: x\n\n" });
		page.hub.reply(open, { t: "end" }, true);
		assert.deepEqual(seen, ["open", "x", "error"]);
	});

	test("other hosts are none of ours", () => {
		const page = openPage();
		const { EventSource } = page.window;
		const source = new EventSource("http://other.test/e", { a: 1 });
		assert.equal(source.readyState, 1);
		assert.equal(source.url, "http://other.test/e");
		source.close();
		assert.throws(() => new EventSource(), { name: "TypeError" });
		new EventSource("http://[");
		assert.deepEqual(page.calls, [
			["EventSource", "http://other.test/e", { a: 1 }],
			["EventSource.close", "http://other.test/e"],
			["EventSource", "http://["]]);
	});

	test("events, comments, ids, names, retry", async () => {
		const page = openPage();
		const { source, events } = listen(page, "/e", ["message", "é"]);
		const stream = (await opened(page)).head();
		let origin;
		source.addEventListener("message", (event) => {
			origin = event.origin;
		});
		stream.text(0, "data: one\n\n");
		stream.text(1, "data:two\ndata:  three\ndata\n\n");
		stream.text(2, ": comment\nid: 7\n\n");
		stream.text(3, "event: é\ndata: x\n\n");
		stream.text(4, "id: a\0b\ndata: y\n\nid\ndata: z\n\n");
		stream.text(5, "event: é\n\ndata\n\nunknown: 1\ndata: a:b\n\n");
		stream.text(6, "data: unfinished\n");
		assert.deepEqual(events, [["open", 1],
			["message", "one", ""], ["message", "two\n three\n", ""],
			["é", "x", "7"], ["message", "y", "7"],
			["message", "z", ""], ["message", "", ""],
			["message", "a:b", ""]]);
		assert.equal(origin, "http://hub.test");
	});

	test("fed at every split, with every line end", async () => {
		const page = openPage();
		const lines = ["\ufeffid: é1", "event: x", "data: a\ufeff😀",
			"data: b", "", "data: second", "", ""];
		for (const end of ["\n", "\r", "\r\n"]) {
			const bytes = Buffer.from(lines.join(end));
			for (let at = 0; at <= bytes.length; at++) {
				const { source, events } = listen(page, "/e",
					["message", "x"]);
				const stream = (await opened(page)).head();
				for (const [n, part] of [bytes.subarray(0, at),
					bytes.subarray(at)].entries())
					stream.say({ t: "bin", n,
						d: part.toString("base64") });
				assert.deepEqual(events, [["open", 1],
					["x", "a\ufeff😀\nb", "é1"],
					["message", "second", "é1"]],
				`${JSON.stringify(end)} at ${at}`);
				source.close();
			}
		}
	});

	test("byte by byte", async () => {
		const page = openPage();
		const { events } = listen(page);
		const stream = (await opened(page)).head();
		const text = "data: a\r\rdata: b\n\ndata: c\r\n\r\n\n";
		[...text].forEach((d, n) => stream.text(n, d));
		assert.deepEqual(events.slice(1), [["message", "a", ""],
			["message", "b", ""], ["message", "c", ""]]);
	});

	test("pieces out of order, a gap", async () => {
		const page = openPage();
		const { events } = listen(page);
		const stream = (await opened(page)).text(0, "data: ").head();
		stream.text(2, "b\n\n").text(1, "a");
		assert.deepEqual(events.at(-1), ["message", "ab", ""]);
		stream.text(4, "x");
		await page.clock.advance(10_000);
		assert.deepEqual(events.at(-1), ["error", 0]);
		await page.hub.pump();
		assert.deepEqual(page.hub.last("stream.cancel").payload,
			{ id: stream.open.request_id });
	});

	test("reconnects, with the last id and the given delay", async () => {
		const page = openPage();
		const { events, source } = listen(page);
		let stream = (await opened(page)).head();
		stream.text(0, "id: é5\ndata: x\n\nid: 6\n").end();
		assert.deepEqual(events.at(-1), ["error", 0]);
		await page.clock.advance(2_999);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, 1);
		await page.clock.advance(1);
		stream = (await opened(page)).head();
		assert.deepEqual(stream.headers.at(-1),
			["Last-Event-ID", "é5"]);
		stream.text(0, "retry: 7000\nretry: 1x\nretry: -1\nretry:\n");
		stream.end("502 broke off");
		await page.clock.advance(6_999);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, 2);
		await page.clock.advance(1);
		stream = (await opened(page)).head();
		assert.deepEqual(stream.headers.at(-1),
			["Last-Event-ID", "é5"]);
		stream.text(0, "retry: 0\n").end();
		await page.clock.advance(249);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, 3);
		await page.clock.advance(1);
		await opened(page);
		assert.equal(page.hub.of("stream.open").length, 4);
		assert.equal(source.readyState, 0);
		assert.deepEqual(events.map(([type]) => type), ["open",
			"message", "error", "open", "error", "open", "error"]);
	});

	test("failures are tried again later and later", async () => {
		const page = openPage();
		const { source } = listen(page, "/e");
		(await opened(page)).head().text(0, "retry: 1\n").end();
		await page.clock.advance(250);
		for (const delay of [250, 500, 1000, 2000, 4000, 5000]) {
			const count = page.hub.of("stream.open").length;
			(await opened(page)).end("502 x");
			assert.equal(source.readyState, 0);
			await page.clock.advance(delay - 1);
			await page.hub.pump();
			assert.equal(page.hub.of("stream.open").length,
				count + 1);
			await page.clock.advance(1);
		}
		(await opened(page)).head().end();
		await page.clock.advance(250);
		(await opened(page)).end("502 x");
		const count = page.hub.of("stream.open").length;
		await page.clock.advance(250);
		await opened(page);
		assert.equal(page.hub.of("stream.open").length, count + 1);
	});

	test("a quiet one lives on; there is one head", async () => {
		const page = openPage();
		const { events, source } = listen(page);
		(await opened(page)).head().head(500);
		await page.clock.advance(100_000);
		assert.deepEqual(events, [["open", 1]]);
		assert.equal(source.readyState, 1);
	});

	test("with pieces missing the end is a break", async () => {
		const page = openPage();
		const { events } = listen(page);
		(await opened(page)).head().text(1, "x").end();
		assert.deepEqual(events, [["open", 1], ["error", 0]]);
		const promise = page.window.fetch("/x",
			{ headers: { Accept: "text/event-stream" } });
		(await opened(page)).head().text(1, "x").end();
		await assert.rejects((await promise).text(),
			{ name: "TypeError" });
	});

	test("what ends it for good", () => eachRow([
		[204, [TYPE]], [500, [TYPE]], [301, [TYPE]], [200, []],
		[200, [["Content-Type", "text/plain"]]],
		[200, [["content-type", "text/event-streams"]]],
		[200, [["content-type", "text/event-stream; charset=latin1"]]],
		[200, "nonsense"], [200, [7, [8]]],
	], async ([status, headers]) => {
		const page = openPage();
		const { events } = listen(page);
		(await opened(page)).head(status, headers);
		assert.deepEqual(events, [["error", 2]]);
		await page.clock.advance(100_000);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, 1);
		assert.equal(page.hub.of("stream.cancel").length, 1);
	}));

	test("types that are right", () => eachRow(["text/event-stream",
		"Text/Event-Stream", " text/event-stream ;x",
		'text/event-stream;charset="UTF-8"'], async (type) => {
		const page = openPage();
		const { events } = listen(page);
		(await opened(page)).head(200, [["Content-Type", type]]);
		assert.deepEqual(events, [["open", 1]]);
	}));

	test("options that are none", () => {
		const { EventSource } = openPage().window;
		for (const options of [5, "x", true])
			assert.throws(() => new EventSource("/e", options));
		for (const options of [undefined, null, {}, () => {}])
			assert.equal(new EventSource("/e", options).readyState,
				0);
	});

	test("redirected, and again from the first place", async () => {
		const page = openPage();
		const { source, events } = listen(page, "/a/b?c");
		const first = await opened(page);
		first.head(307, [["Location", "d?token=tether_x&e"]]);
		assert.equal(page.hub.of("stream.open").length, 1);
		const second = await opened(page);
		assert.equal(second.path, "/a/d?e");
		assert.notEqual(second.open.request_id, first.open.request_id);
		assert.equal(page.hub.last("stream.cancel").payload.id,
			first.open.request_id);
		first.text(0, "data: late\n\n").end();
		second.head().text(0, "data: x\n\n").end();
		assert.deepEqual(events, [["open", 1], ["message", "x", ""],
			["error", 0]]);
		assert.equal(source.url, "http://hub.test/a/b?c");
		await page.clock.advance(3000);
		assert.equal((await opened(page)).path, "/a/b?c");
	});

	test("redirected elsewhere, or for ever", async () => {
		for (const [location, times] of [["http://other.test/", 1],
			["http://[", 1], ["/again", 21]]) {
			const page = openPage();
			const { events } = listen(page);
			for (let i = 0; i < times; i++) {
				assert.deepEqual(events, []);
				(await opened(page)).head(301,
					[["location", location]]);
			}
			assert.deepEqual(events, [["error", 0]]);
		}
	});

	test("close()", async () => {
		const page = openPage();
		const { source, events } = listen(page);
		const stream = (await opened(page)).head();
		source.addEventListener("message", () => source.close());
		stream.text(0, "data: a\n\ndata: b\n\n");
		assert.deepEqual(events, [["open", 1], ["message", "a", ""]]);
		assert.equal(source.readyState, 2);
		source.close();
		stream.text(1, "data: c\n\n").end();
		await page.clock.advance(100_000);
		await page.hub.pump();
		assert.equal(events.length, 2);
		assert.equal(page.hub.of("stream.open").length, 1);
		assert.equal(page.hub.of("stream.cancel").length, 1);
		const two = listen(page);
		(await opened(page)).head().end();
		two.source.close();
		await page.clock.advance(100_000);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, 2);
	});

	test("no answer, a lost socket, a page from the cache", async () => {
		const page = openPage();
		const { events } = listen(page);
		await opened(page);
		await page.clock.advance(30_000);
		assert.deepEqual(events, [["error", 0]]);
		await page.hub.pump();
		assert.equal(page.hub.of("stream.cancel").length, 1);
		await page.clock.advance(3_000);
		(await opened(page)).head();
		page.hub.socket.accept(3);
		assert.deepEqual(events.slice(1), [["open", 1], ["error", 0]]);
		await page.clock.advance(3_000);
		(await opened(page)).head();
		page.window.dispatchEvent(new Event("pagehide"));
		await page.hub.pump();
		assert.equal(page.hub.of("stream.cancel").length, 2);
		assert.equal(events.length, 4);
		page.window.dispatchEvent(new Event("pageshow"));
		assert.deepEqual(events.at(-1), ["error", 0]);
		page.window.dispatchEvent(new Event("pageshow"));
		assert.equal(events.length, 5);
	});

	test("a browser socket that hangs is given up", async () => {
		const page = openPage();
		page.hub.isReachable = null;
		const { events } = listen(page);
		await page.clock.advance(30_000);
		assert.deepEqual(events, [["error", 0]]);
		assert.equal(page.hub.socket.readyState, 3);
	});

	test("pings", async () => {
		const page = openPage();
		listen(page);
		const stream = (await opened(page)).head();
		stream.say({ t: "ping" });
		await page.hub.pump();
		assert.deepEqual(page.hub.last("stream.pong").payload,
			{ id: stream.open.request_id });
	});

	test("a handle that expired", async () => {
		const page = openPage({ respond: () => new Response(
			'{"handle":"tether_two"}') });
		const { events } = listen(page);
		(await opened(page)).end("403 no such handle");
		await page.clock.advance(0);
		const stream = await opened(page);
		assert.equal(stream.handle, "tether_two");
		assert.deepEqual(events, []);
		stream.end("403 not allowed");
		assert.deepEqual(events, [["error", 2]]);
		const other = listen(page);
		(await opened(page)).end("403 not allowed");
		await page.clock.advance(0);
		assert.deepEqual(other.events, [["error", 2]]);
		assert.equal(page.called("fetch").length, 1);
	});
});

describe("fetch of a stream", () => {
	const headers = { Accept: "application/json, text/event-stream;q=1" };
	const start = async (page, options = {}, url = "/api/e?x=1") => {
		const promise = page.window.fetch(url, { headers, ...options });
		promise.catch(() => {});
		return { promise, stream: await opened(page) };
	};

	test("what goes that way", async () => {
		const page = openPage();
		const { fetch } = page.window;
		const accept = "text/event-stream";
		for (const [url, options] of [["/x", {}],
			["/x", { headers: { accept: "text/html" } }],
			["/x", { headers: { accept: "text/event-streams" } }],
			["/x", { method: "POST", headers: { accept } }],
			["http://other.test/x", { headers: { accept } }]])
			await fetch(url, options);
		await page.hub.pump();
		assert.equal(page.hub.messages.length, 0);
		assert.equal(page.called("fetch").length, 5);
		const { stream } = await start(page, { headers: { ...headers,
			Authorization: "Bearer tether_x", "X-A": "1" } },
		"/api/e?token=tether_y&a=1");
		assert.equal(stream.path, "/api/e?a=1");
		assert.equal(stream.method, "GET");
		assert.deepEqual(stream.headers, [["accept", headers.Accept],
			["x-a", "1"]]);
		assert.equal(page.called("fetch").length, 5);
	});

	test("the response", async () => {
		const page = openPage();
		const { promise, stream } = await start(page);
		stream.head(201, [TYPE, ["X-A", "1"]]);
		const response = await promise;
		assert.equal(response.status, 201);
		assert.equal(response.headers.get("x-a"), "1");
		const copy = response.clone();
		for (const one of [response, copy]) {
			assert.equal(one.url,
				`http://hub.test${BASE}/api/e?x=1`);
			assert.equal(one.type, "basic");
			assert.equal(one.redirected, false);
		}
		stream.text(1, "b").text(0, "aé");
		stream.say({ t: "bin", n: 2, d: btoa("\xff") });
		stream.end();
		// Both are read: Node 18 does not end before.
		for (const one of [response, copy])
			assert.equal(Buffer.from(await one.arrayBuffer())
				.toString("latin1"), "a\xc3\xa9b\xff");
	});

	test("redirected, where that is wanted", async () => {
		const page = openPage();
		const to = [["location", "/there#x"]];
		const { promise, stream } = await start(page);
		stream.head(302, to);
		(await opened(page)).head();
		const response = await promise;
		assert.equal(response.url, "http://hub.test/there");
		assert.equal(response.redirected, true);
		const strict = await start(page, { headers, redirect: "error" });
		strict.stream.head(302, to);
		await assert.rejects(strict.promise, { name: "TypeError" });
		const count = page.hub.of("stream.open").length;
		await page.window.fetch("/x", { headers, redirect: "manual" });
		await page.hub.pump();
		assert.equal(page.hub.of("stream.open").length, count);
	});

	test("one without a body", async () => {
		const page = openPage();
		const { promise, stream } = await start(page);
		stream.head(204, []).end();
		const response = await promise;
		assert.equal(response.status, 204);
		assert.equal(response.body, null);
	});

	test("failures", async () => {
		const page = openPage();
		const fail = { name: "TypeError", message: "Failed to fetch" };
		for (const error of ["502 x", undefined]) {
			const { promise, stream } = await start(page);
			stream.end(error);
			await assert.rejects(promise, fail);
		}
		const odd = await start(page);
		odd.stream.head(99);
		await assert.rejects(odd.promise, fail);
		const { promise, stream } = await start(page);
		stream.head().text(0, "x");
		const reader = (await promise).body.getReader();
		await reader.read();
		stream.end("502 broke off");
		await assert.rejects(reader.read(), fail);
		const lost = await start(page);
		page.hub.socket.accept(3);
		await assert.rejects(lost.promise, fail);
	});

	test("aborted: before, while waiting, while reading", async () => {
		const page = openPage();
		const abort = { name: "AbortError" };
		await assert.rejects(page.window.fetch("/x", { headers,
			signal: AbortSignal.abort() }), abort);
		await page.hub.pump();
		assert.equal(page.hub.messages.length, 0);
		let controller = new AbortController();
		const one = await start(page, { signal: controller.signal });
		controller.abort();
		await assert.rejects(one.promise, abort);
		await page.hub.pump();
		assert.deepEqual(page.hub.last("stream.cancel").payload,
			{ id: one.stream.open.request_id });
		one.stream.head().text(0, "x").end();
		controller = new AbortController();
		const two = await start(page, { signal: controller.signal });
		two.stream.head();
		const reader = (await two.promise).body.getReader();
		controller.abort(new Error("mine"));
		await assert.rejects(reader.read(), { message: "mine" });
		await page.hub.pump();
		assert.equal(page.hub.of("stream.cancel").length, 2);
		controller = new AbortController();
		const three = await start(page, { signal: controller.signal });
		three.stream.head().end();
		await (await three.promise).text();
		controller.abort();
		await page.hub.pump();
		assert.equal(page.hub.of("stream.cancel").length, 2);
	});

	test("a reader that goes", async () => {
		const page = openPage();
		const { promise, stream } = await start(page);
		stream.head();
		await (await promise).body.cancel();
		await page.hub.pump();
		assert.equal(page.hub.of("stream.cancel").length, 1);
		stream.text(0, "x").end();
	});

	test("acknowledged when it is read", async () => {
		const page = openPage();
		const { promise, stream } = await start(page);
		const acks = async () => {
			await page.hub.pump();
			return page.hub.of("stream.ack").map((m) => m.payload.n);
		};
		stream.head();
		const reader = (await promise).body.getReader();
		stream.text(0, "x".repeat(64 * KIB));
		stream.text(1, "x".repeat(64 * KIB));
		assert.deepEqual(await acks(), []);
		await reader.read();
		assert.deepEqual(await acks(), []);
		await reader.read();
		assert.deepEqual(await acks(), [2]);
		stream.text(2, "x".repeat(63 * KIB));
		await reader.read();
		assert.deepEqual(await acks(), [2]);
		stream.text(3, "x".repeat(2 * KIB));
		assert.deepEqual(await acks(), [2, 4]);
	});
});
