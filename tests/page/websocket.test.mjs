// WebSockets through the tunnel, against a stand-in for proxyd.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";

const KIB = 1024;
const PIECE = 64 * KIB;

// A socket of the page, with what it told so far, and proxyd's side of it.
function connect(page, url = "/ws", protocols = undefined) {
	const { hub, window, clock } = page;
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
			this.open ??= (await hub.pump(), hub.last("tunnel.open"));
			return this.open;
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
		get sent() {
			return hub.of("tunnel.send").filter((m) =>
				m.payload.id === this.open.request_id)
				.map((m) => m.payload);
		},
		get now() {
			return clock.now;
		},
	};
}

const accepted = async (page, ...args) => connect(page, ...args).accept();

describe("the constructor", () => {
	test("what is asked for", async () => {
		const page = openPage();
		await eachRow([
			["/ws", "/ws"], ["ws", "/ws"], ["ws://hub.test/ws", "/ws"],
			["wss://hub.test/ws", "/ws"], ["http://hub.test/a/b", "/a/b"],
			[`${BASE}/ws`, "/ws"], [BASE, "/"], [`${BASE}x`, `${BASE}x`],
			[`${BASE}/ws?a=1&token=x.y&b`, "/ws?a=1&b"],
			["/ws?token=t", "/ws"], ["/ws?token", "/ws"],
			["/ws?xtoken=1&token2=3", "/ws?xtoken=1&token2=3"],
			["/ws?q=a%20b+c&token=%20", "/ws?q=a%20b+c"],
			["ws://hub.test//x", "/x"], ["", "/"],
		], async ([url, path]) => {
			const one = connect(page, url);
			const { payload } = await one.asked();
			assert.deepEqual(payload, { handle: "tether_one", path,
				protocols: [] });
			assert.equal(one.socket.url, new URL(url,
				page.document.baseURI).href
				.replace(/^http/, "ws"));
		});
		assert.equal(page.sockets.length, 1);
	});

	test("the browser socket, its messages and ids", async () => {
		const page = openPage({ href: `https://hub.test${BASE}/` });
		await connect(page).asked();
		await connect(page).asked();
		const { sockets, messages } = page.hub;
		assert.equal(sockets.length, 1);
		assert.equal(sockets[0].url,
			"wss://hub.test/ws/connect?type=browser");
		for (const message of messages) {
			assert.equal(message.type, "forward_to_client");
			assert.equal(message.client_id, "box");
			assert.match(message.request_id, /^[\w-]{22}$/);
		}
		assert.notEqual(messages[0].request_id, messages[1].request_id);
	});

	test("before anything happened", () => {
		const { window } = openPage();
		const socket = new window.WebSocket("/ws");
		for (const [name, value] of Object.entries({ readyState: 0,
			protocol: "", extensions: "", binaryType: "blob",
			bufferedAmount: 0, onopen: null, onmessage: null,
			onerror: null, onclose: null, CONNECTING: 0,
			url: "ws://hub.test/ws" }))
			assert.equal(socket[name], value, name);
		assert.ok(socket instanceof window.WebSocket);
		assert.ok(socket instanceof EventTarget);
		assert.equal(socket.constructor, window.WebSocket);
	});

	test("subclasses", async () => {
		const page = openPage();
		class Special extends page.window.WebSocket {
			special = true;
		}
		const socket = new Special("/ws");
		assert.ok(socket instanceof Special && socket.special);
		assert.ok(socket instanceof page.window.WebSocket);
		assert.equal(socket.readyState, 0);
	});

	test("protocols", async () => {
		const page = openPage();
		await eachRow([[undefined, []], ["a", ["a"]], [["a", "b"],
			["a", "b"]], [new Set(["x"]), ["x"]], [[], []],
		[null, ["null"]], [["a", "A"], ["a", "A"]]],
		async ([protocols, list]) => {
			const { payload } =
				await connect(page, "/ws", protocols).asked();
			assert.deepEqual(payload.protocols, list);
		});
	});

	test("exceptions", () => {
		const { window } = openPage();
		const { WebSocket } = window;
		return eachRow([
			[["http://["], "SyntaxError"], [["/x#"], "SyntaxError"],
			[["/x#f"], "SyntaxError"],
			[["/x", ["a", "a"]], "SyntaxError"],
			[["/x", "a b"], "SyntaxError"], [["/x", ""], "SyntaxError"],
			[["/x", ["a,b"]], "SyntaxError"],
			[["/x", "é"], "SyntaxError"], [[], "TypeError"],
		], ([args, name]) => assert.throws(() => new WebSocket(...args),
			{ name }));
	});

	test("other hosts are none of ours", () => {
		const page = openPage();
		const { WebSocket } = page.window;
		const urls = ["ws://other.test/x", "ws://hub.test:81/x",
			"wss://other.test/?token=1"];
		for (const url of urls) {
			const socket = new WebSocket(url, "p");
			assert.equal(socket.url, url);
			assert.equal(socket.protocol, "native");
			assert.equal(socket.bufferedAmount, 7);
			assert.ok(socket instanceof WebSocket);
			assert.throws(() => socket.send("x"),
				{ name: "InvalidStateError" });
			socket.binaryType = "arraybuffer";
			assert.equal(socket.binaryType, "arraybuffer");
			socket.onopen = null;
			assert.equal(socket.onopen, null);
			socket.close();
			assert.equal(socket.readyState, 3);
		}
		assert.deepEqual(page.called("WebSocket"),
			urls.map((url) => [url, "p"]));
		assert.deepEqual(page.called("onopen"), [[null], [null], [null]]);
	});
});

describe("opening", () => {
	test("accepted", async () => {
		const one = await accepted(openPage(), "/ws", ["a", "b"]);
		one.say({ t: "open", protocol: "x" });
		assert.deepEqual(one.events, [["open"]]);
		assert.equal(one.socket.readyState, 1);
		const two = await connect(openPage(), "/ws", "b").accept("b");
		assert.equal(two.socket.protocol, "b");
	});

	test("refused: error, then 1006 without a reason", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		one.end(1006, "502 gone", false);
		assert.deepEqual(one.events, []);
		await page.clock.advance(249);
		assert.equal(one.socket.readyState, 0);
		await page.clock.advance(1);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
		assert.equal(one.socket.readyState, 3);
	});

	test("an instance that is away, an orchestrator that is", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		one.say({ error: true, message: "no such client" }, true);
		await page.clock.advance(250);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
		page.hub.isReachable = false;
		page.hub.socket.accept(3);
		const two = connect(page);
		await page.clock.advance(500);
		assert.deepEqual(two.events, one.events);
		assert.equal(page.hub.sockets.length, 2);
	});

	test("a browser socket that cannot even be made", async () => {
		const page = openPage({ run: false });
		const Native = page.window.WebSocket;
		page.window.WebSocket = class WebSocket extends Native {
			constructor() {
				throw new DOMException("no", "SecurityError");
			}
		};
		for (const name of Object.getOwnPropertyNames(Native.prototype))
			if (name !== "constructor")
				Object.defineProperty(
					page.window.WebSocket.prototype, name,
					Object.getOwnPropertyDescriptor(
						Native.prototype, name));
		page.run();
		const one = connect(page);
		await page.clock.advance(250);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
	});

	test("failures are told later and later", async () => {
		const page = openPage();
		const told = async (path, ok = false) => {
			const one = connect(page, path);
			const began = page.clock.now;
			await one.asked();
			if (ok) {
				one.say({ t: "open", protocol: "" });
				return 0;
			}
			one.end(1006, "502 x", false);
			while (one.socket.readyState === 0)
				await page.clock.advance(10);
			return page.clock.now - began;
		};
		for (const delay of [250, 500, 1000, 2000, 4000, 5000, 5000])
			assert.equal(await told("/shell?x=1"), delay);
		assert.equal(await told("/ws"), 250);
		assert.equal(await told("/shell?x=2"), 5000);
		await told("/shell", true);
		assert.equal(await told("/shell"), 250);
	});

	test("a slow failure is told at once", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		await page.clock.advance(300);
		one.end(1006, "504 x", false);
		await page.clock.advance(0);
		assert.equal(one.socket.readyState, 3);
	});

	test("no answer in 30 s", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		await page.clock.advance(29_999);
		assert.equal(one.socket.readyState, 0);
		await page.clock.advance(1);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
		await page.hub.pump();
		assert.deepEqual(page.hub.last("tunnel.close").payload,
			{ id: one.open.request_id, n: 0 });
		one.say({ t: "open", protocol: "" });
		one.text(0, "late");
		assert.equal(one.events.length, 2);
	});

	test("a browser socket that hangs is given up", async () => {
		const page = openPage();
		page.hub.isReachable = null;
		const one = connect(page);
		await page.clock.advance(30_000);
		assert.equal(one.socket.readyState, 3);
		assert.equal(page.hub.socket.readyState, 3);
		page.hub.isReachable = true;
		await accepted(page);
		assert.equal(page.hub.sockets.length, 2);
	});

	test("close() before it opened", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		one.socket.close();
		assert.equal(one.socket.readyState, 2);
		assert.deepEqual(one.events, []);
		await page.clock.advance(0);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
		await page.hub.pump();
		assert.equal(page.hub.of("tunnel.close").length, 1);
		one.say({ t: "open", protocol: "" });
		assert.equal(one.socket.readyState, 3);
	});
});

describe("receiving", () => {
	test("text, Blob, ArrayBuffer", async () => {
		const page = openPage();
		const one = await accepted(page);
		const { socket } = one;
		let event;
		socket.addEventListener("message", (e) => {
			event = e;
		});
		one.text(0, "é😀");
		assert.equal(event.data, "é😀");
		assert.equal(event.origin, "ws://hub.test");
		assert.ok(event instanceof MessageEvent);
		one.say({ t: "bin", n: 1, d: btoa("\xff\x00a") });
		assert.ok(event.data instanceof Blob);
		assert.equal(Buffer.from(await event.data.arrayBuffer())
			.toString("hex"), "ff0061");
		socket.binaryType = "nonsense";
		assert.equal(socket.binaryType, "blob");
		socket.binaryType = "arraybuffer";
		assert.equal(socket.binaryType, "arraybuffer");
		one.say({ t: "bin", n: 2, d: btoa("\xff\x00"), more: true });
		one.say({ t: "bin", n: 3, d: btoa("a") });
		assert.equal(Object.prototype.toString.call(event.data),
			"[object ArrayBuffer]");
		assert.equal(Buffer.from(event.data).toString("hex"), "ff0061");
		one.text(4, "");
		assert.equal(event.data, "");
	});

	test("pieces in any order", async () => {
		const page = openPage();
		const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2],
			[2, 0, 0, 1, 1, 3], [0, 3, 1, 2]];
		const pieces = [["a", true], ["b", false], ["c", true], ["d"]];
		await eachRow(orders, async (order) => {
			const one = await accepted(page);
			for (const n of order)
				one.text(n, ...pieces[n]);
			assert.deepEqual(one.events, [["open"],
				["message", "ab"], ["message", "cd"]]);
		});
	});

	test("pieces that overtake the open", async () => {
		const one = connect(openPage());
		await one.asked();
		one.text(0, "first");
		assert.deepEqual(one.events, []);
		await one.accept();
		assert.deepEqual(one.events, [["open"], ["message", "first"]]);
	});

	test("a gap that does not close", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.text(1, "b");
		await page.clock.advance(9_999);
		one.text(0, "a");
		one.text(3, "d");
		await page.clock.advance(9_999);
		assert.equal(one.socket.readyState, 1);
		await page.clock.advance(1);
		assert.deepEqual(one.events.slice(3),
			[["close", 1006, "", false]]);
		await page.hub.pump();
		assert.equal(page.hub.last("tunnel.close").payload.id,
			one.open.request_id);
	});

	test("a gap that stays open while others close", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.text(1, "b");
		await page.clock.advance(5_000);
		one.text(2, "c");
		await page.clock.advance(5_000);
		assert.equal(one.socket.readyState, 3);
	});

	test("a gap that closes before the next one", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.text(1, "b");
		one.text(3, "d");
		await page.clock.advance(9_000);
		one.text(0, "a");
		await page.clock.advance(9_000);
		assert.equal(one.socket.readyState, 1);
		one.text(2, "c");
		one.text(2, "again");
		await page.clock.advance(20_000);
		assert.equal(one.socket.readyState, 1);
		assert.equal(one.events.length, 5);
	});

	test("only what is held counts", async () => {
		const page = openPage();
		const one = await accepted(page);
		for (let n = 0; n < 5; n++)
			one.text(n, "x".repeat(PIECE));
		one.text(6, "b");
		assert.equal(one.socket.readyState, 1);
	});

	test("more than a window beyond a gap", async () => {
		const page = openPage();
		const one = await accepted(page);
		for (let n = 1; n <= 4; n++)
			one.text(n, "x".repeat(PIECE));
		assert.equal(one.socket.readyState, 1);
		one.text(5, "x");
		assert.equal(one.socket.readyState, 3);
	});

	test("what is no piece", async () => {
		const page = openPage();
		const one = await accepted(page);
		for (const data of [{ t: "text", n: -1, d: "x" },
			{ t: "text", n: "0", d: "x" }, { t: "text", n: 0.5, d: "x" },
			{ t: "text", d: "x" }, { t: "other", n: 0 }, {}, null, 7])
			one.say(data);
		assert.deepEqual(one.events, [["open"]]);
		one.say({ t: "bin", n: 0, d: "*" });
		assert.equal(one.socket.readyState, 3);
	});

	test("acknowledged every 64 KiB", async () => {
		const page = openPage();
		const one = await accepted(page);
		const acks = async () => {
			await page.hub.pump();
			return page.hub.of("tunnel.ack").map((m) => m.payload);
		};
		const id = one.open.request_id;
		one.text(0, "é".repeat(PIECE / 2 - 1));
		assert.deepEqual(await acks(), []);
		one.text(1, "xx");
		assert.deepEqual(await acks(), [{ id, n: 2 }]);
		one.say({ t: "bin", n: 3, d: btoa("x".repeat(PIECE)) });
		assert.equal((await acks()).length, 1);
		one.text(2, "", true);
		assert.deepEqual((await acks()).at(-1), { id, n: 4 });
	});

	test("pings are answered", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.say({ t: "ping" });
		await page.hub.pump();
		assert.deepEqual(page.hub.last("tunnel.pong").payload,
			{ id: one.open.request_id });
	});

	test("what is not ours", async () => {
		const page = openPage();
		const one = await accepted(page);
		const { request_id: id } = one.open;
		const good = { type: "forwarded_response", client_id: "box",
			request_id: id, data: { t: "text", n: 0, d: "x" } };
		for (const data of ["", "{", "null", "7", "[]",
			JSON.stringify({ ...good, client_id: "other" }),
			JSON.stringify({ ...good, type: "client_list" }),
			JSON.stringify({ ...good, request_id: "x" }),
			JSON.stringify({ ...good, request_id: undefined }),
			new Blob([JSON.stringify(good)])])
			page.hub.socket.dispatchEvent(
				new MessageEvent("message", { data }));
		assert.deepEqual(one.events, [["open"]]);
	});
});

describe("sending", () => {
	test("what can be sent", async () => {
		const page = openPage();
		const { socket, ...one } = await accepted(page);
		const bytes = new Uint8Array([0, 1, 254, 255]);
		socket.send("é😀");
		socket.send("");
		socket.send("a\ud800b\udc00");
		socket.send(7);
		socket.send(null);
		socket.send(bytes);
		socket.send(bytes.buffer);
		socket.send(new DataView(bytes.buffer, 1, 2));
		socket.send(new Blob([bytes]));
		socket.send(new Blob([]));
		socket.send({ toString: () => "obj" });
		bytes.fill(9);
		await page.hub.drain();
		const all = page.hub.of("tunnel.send").map((m) => m.payload);
		const base64 = (...values) =>
			Buffer.from(values).toString("base64");
		assert.deepEqual(all.map(({ id, ...rest }) => rest), [
			{ d: "é😀" }, { d: "" }, { d: "a\ufffdb\ufffd" },
			{ d: "7" }, { d: "null" }, { b: base64(0, 1, 254, 255) },
			{ b: base64(0, 1, 254, 255) }, { b: base64(1, 254) },
			{ b: base64(0, 1, 254, 255) }, { b: "" }, { d: "obj" },
		].map((piece, n) => ({ n, ...piece })));
		assert.ok(all.every(({ id }) => id === one.open.request_id));
	});

	test("exceptions", async () => {
		const page = openPage();
		const one = connect(page);
		assert.throws(() => one.socket.send("x"),
			{ name: "InvalidStateError" });
		assert.throws(() => one.socket.send(), { name: "TypeError" });
		await one.accept();
		assert.throws(() => one.socket.send(), { name: "TypeError" });
		assert.throws(() => one.socket.send(Symbol("x")),
			{ name: "TypeError" });
	});

	test("long messages in pieces, characters whole", async () => {
		const page = openPage();
		const one = await accepted(page);
		const texts = ["x".repeat(PIECE), "x".repeat(PIECE + 1),
			`${"x".repeat(PIECE - 1)}😀y`,
			`${"x".repeat(PIECE - 4)}😀`, "é".repeat(PIECE),
			`x${"😀".repeat(PIECE)}`, "\u4e00".repeat(PIECE)];
		for (const text of texts)
			one.socket.send(text);
		await page.hub.drain();
		let whole = "";
		const received = [];
		for (const { d, more } of one.sent) {
			assert.ok(Buffer.byteLength(d) <= PIECE);
			assert.ok(!/\p{Surrogate}/u.test(d));
			whole += d;
			if (!more)
				received.push(whole);
			whole = more ? whole : "";
		}
		assert.deepEqual(received.map((t) => t.length),
			texts.map((t) => t.length));
		assert.deepEqual(received, texts);
		assert.equal(one.sent[0].more, undefined);
		assert.equal(one.sent[1].more, true);
		assert.deepEqual(one.sent.map(({ n }) => n),
			one.sent.map((piece, i) => i));
	});

	test("large bytes and blobs, in order with text", async () => {
		const page = openPage();
		const one = await accepted(page);
		const bytes = new Uint8Array(150 * KIB).map((b, i) => i * 7);
		one.socket.send("first");
		one.socket.send(new Blob([bytes]));
		one.socket.send("second");
		one.socket.send(bytes);
		one.socket.send("third");
		await page.hub.drain();
		const kinds = one.sent.map(({ d, b, more }) =>
			`${d ?? Buffer.from(b, "base64").length}${more ? "+" : ""}`);
		assert.deepEqual(kinds, ["first", "65536+", "65536+", "22528",
			"second", "65536+", "65536+", "22528", "third"]);
		for (const at of [1, 5])
			assert.ok(Buffer.concat(one.sent.slice(at, at + 3)
				.map(({ b }) => Buffer.from(b, "base64")))
				.equals(Buffer.from(bytes)));
	});

	test("the window, and what is buffered", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		const { socket } = one;
		for (let i = 0; i < 6; i++)
			socket.send("x".repeat(PIECE));
		assert.equal(socket.bufferedAmount, 6 * PIECE);
		await page.hub.pump();
		assert.equal(one.sent.length, 4);
		const [first, second] = page.hub.of("tunnel.send");
		page.hub.answer(first);
		assert.equal(socket.bufferedAmount, 5 * PIECE);
		await page.hub.pump();
		assert.equal(one.sent.length, 5);
		page.hub.answer(first);
		await page.hub.pump();
		assert.equal(one.sent.length, 5);
		page.hub.answer(second);
		await page.hub.pump();
		assert.equal(one.sent.length, 6);
		for (const message of page.hub.of("tunnel.send"))
			page.hub.answer(message);
		assert.equal(socket.bufferedAmount, 0);
		socket.send("é");
		assert.equal(socket.bufferedAmount, 2);
	});

	test("a blob waits for the window, text for the blob", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		one.socket.send(new Uint8Array(3 * PIECE + 1));
		one.socket.send(new Blob(["x".repeat(PIECE)]));
		one.socket.send("after");
		await page.hub.pump();
		assert.equal(one.sent.length, 4);
		page.hub.answer(page.hub.of("tunnel.send")[0]);
		await page.hub.drain();
		assert.equal(one.sent.length, 6);
		assert.equal(one.sent[5].d, "after");
	});

	test("bytes are those of the moment", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		const bytes = new Uint8Array([1]);
		one.socket.send(new Uint8Array(4 * PIECE));
		one.socket.send(bytes);
		bytes[0] = 2;
		await page.hub.pump();
		page.hub.answer(page.hub.of("tunnel.send")[0]);
		await page.hub.drain();
		assert.equal(atob(one.sent[4].b), "\x01");
	});

	test("a blob is sent before the close", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.send(new Blob(["x"]));
		one.socket.close();
		await page.hub.drain();
		assert.equal(page.hub.last("tunnel.close").payload.n, 1);
		const two = await accepted(page);
		two.socket.send(new Blob(["x"]));
		two.end(1000);
		await page.hub.drain();
		assert.equal(two.sent.length, 0);
	});

	test("a blob that cannot be read breaks it", async () => {
		const page = openPage();
		const one = await accepted(page);
		const blob = new Blob(["x"]);
		blob.slice = () => ({ size: 1, arrayBuffer: () =>
			Promise.reject(new Error("gone")) });
		one.socket.send(blob);
		await page.clock.advance(0);
		assert.deepEqual(one.events.at(-1), ["close", 1006, "", false]);
	});

	test("after close() it is only counted", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.close();
		one.socket.send("abc");
		one.socket.send(new Blob(["de"]));
		assert.equal(one.socket.bufferedAmount, 5);
		one.end();
		one.socket.send(new Uint8Array(2));
		assert.equal(one.socket.bufferedAmount, 7);
		await page.hub.pump();
		assert.equal(one.sent.length, 0);
	});

	test("a piece that is refused ends it, after a moment", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const refuse = async () => {
			const one = await accepted(page);
			one.socket.send("x");
			await page.hub.pump();
			page.hub.reply(page.hub.last("tunnel.send"),
				{ error: true, message: "no such tunnel" }, true);
			assert.equal(one.socket.readyState, 1);
			return one;
		};
		const one = await refuse();
		await page.clock.advance(2000);
		assert.deepEqual(one.events.at(-1), ["close", 1006, "", false]);
		const two = await refuse();
		two.end(4001, "why", true);
		assert.deepEqual(two.events.at(-1), ["close", 4001, "why", true]);
	});
});

describe("closing", () => {
	test("by the page, after what was sent", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		one.socket.send(new Uint8Array(5 * PIECE));
		one.socket.close(3000, "bye é");
		one.socket.close(4000, "again");
		assert.equal(one.socket.readyState, 2);
		await page.hub.pump();
		assert.equal(page.hub.of("tunnel.close").length, 0);
		page.hub.answer(page.hub.of("tunnel.send")[0]);
		await page.hub.pump();
		const id = one.open.request_id;
		assert.deepEqual(page.hub.of("tunnel.close")
			.map((m) => m.payload),
		[{ id, n: 5, code: 3000, reason: "bye é" }]);
		one.text(0, "too late");
		one.end(3000, "bye é");
		assert.deepEqual(one.events, [["open"],
			["close", 3000, "bye é", true]]);
		one.socket.close();
		await page.hub.pump();
		assert.equal(page.hub.of("tunnel.close").length, 1);
	});

	test("without an answer", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.close();
		await page.hub.pump();
		assert.deepEqual(page.hub.last("tunnel.close").payload,
			{ id: one.open.request_id, n: 0 });
		await page.clock.advance(30_000);
		assert.deepEqual(one.events, [["open"],
			["close", 1006, "", false]]);
	});

	test("arguments", async () => {
		const page = openPage();
		const bad = [[[1001], "InvalidAccessError"],
			[[0], "InvalidAccessError"], [[null], "InvalidAccessError"],
			[[2999], "InvalidAccessError"],
			[[5000], "InvalidAccessError"],
			[[70000], "InvalidAccessError"],
			[["x"], "InvalidAccessError"],
			[[1000, "x".repeat(124)], "SyntaxError"],
			[[1000, "é".repeat(62)], "SyntaxError"]];
		const one = await accepted(page);
		await eachRow(bad, ([args, name]) => assert.throws(() =>
			one.socket.close(...args), { name }));
		assert.equal(one.socket.readyState, 1);
		await eachRow([[[], {}], [[1000], { code: 1000 }],
			[["4999"], { code: 4999 }], [[undefined, "r"],
				{ reason: "r" }], [[3000.4, 7],
				{ code: 3000, reason: "7" }],
			[[1000, "é".repeat(61)], { code: 1000,
				reason: "é".repeat(61) }],
			[[1000, "\ud800"], { code: 1000, reason: "\ufffd" }],
		], async ([args, payload]) => {
			const { socket, open } = await accepted(page);
			socket.close(...args);
			await page.hub.pump();
			assert.deepEqual(page.hub.last("tunnel.close").payload,
				{ id: open.request_id, n: 0, ...payload });
		});
	});

	test("by the other side", async () => {
		const page = openPage();
		await eachRow([
			[[1000, "", true], [1000, "", true]],
			[[1005, "", true], [1005, "", true]],
			[[4999, "r", true], [4999, "r", true]],
			[[1011, "oops", false], [1011, "oops", false]],
			[[1006, "502 hidden", false], [1006, "", false]],
			[["x", "r", true], [1006, "", false]],
		], async ([said, told]) => {
			const one = await accepted(page);
			one.end(...said);
			assert.deepEqual(one.events,
				[["open"], ["close", ...told]]);
			assert.equal(one.socket.readyState, 3);
			one.text(0, "late");
			one.end();
			assert.equal(one.events.length, 2);
		});
	});

	test("with pieces missing it is no orderly one", async () => {
		const one = await accepted(openPage());
		one.text(1, "b");
		one.end(1000);
		assert.deepEqual(one.events, [["open"],
			["close", 1006, "", false]]);
	});

	test("transport loss ends all of them", async () => {
		const page = openPage();
		const one = await accepted(page);
		const two = await accepted(page);
		const three = connect(page);
		two.socket.send("x");
		page.hub.socket.accept(3);
		for (const { events } of [one, two])
			assert.deepEqual(events.at(-1),
				["close", 1006, "", false]);
		assert.equal(two.socket.bufferedAmount, 1);
		await page.clock.advance(250);
		assert.deepEqual(three.events, [["error"],
			["close", 1006, "", false]]);
		const four = await accepted(page);
		assert.equal(four.socket.readyState, 1);
		assert.equal(page.hub.sockets.length, 2);
	});
});

describe("handler properties", () => {
	test("order, replacement, removal", async () => {
		const page = openPage();
		const { socket } = connect(page);
		const order = [];
		const note = (what) => function noted() {
			order.push(what);
			assert.equal(this, socket);
		};
		const a = note("a");
		socket.onopen = a;
		assert.equal(socket.onopen, a);
		socket.addEventListener("open", note("b"));
		socket.onopen = note("c");
		const fire = () => {
			order.length = 0;
			socket.dispatchEvent(new Event("open"));
			return order.join("");
		};
		assert.equal(fire(), "cb");
		socket.onopen = null;
		assert.equal(fire(), "b");
		socket.onopen = note("d");
		assert.equal(fire(), "bd");
		socket.onopen = 7;
		assert.equal(socket.onopen, null);
		const object = {};
		socket.onopen = object;
		assert.equal(socket.onopen, object);
		assert.equal(fire(), "b");
		socket.onmessage = a;
		assert.equal(socket.onmessage, a);
		assert.equal(socket.onopen, object);
	});
});

describe("the browser socket", () => {
	test("closed after a minute without tunnels", async () => {
		const page = openPage();
		const one = await accepted(page);
		await page.clock.advance(120_000);
		assert.equal(page.hub.socket.readyState, 1);
		one.end();
		await page.clock.advance(59_999);
		const two = await accepted(page);
		await page.clock.advance(120_000);
		assert.equal(page.hub.socket.readyState, 1);
		two.end();
		await page.clock.advance(59_999);
		assert.equal(page.hub.socket.readyState, 1);
		await page.clock.advance(1);
		assert.equal(page.hub.socket.readyState, 3);
		await accepted(page);
		assert.equal(page.hub.sockets.length, 2);
	});

	test("a page that goes closes its tunnels", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.send("x");
		await page.hub.pump();
		page.window.dispatchEvent(new Event("pagehide"));
		await page.hub.pump();
		assert.deepEqual(page.hub.last("tunnel.close").payload,
			{ id: one.open.request_id, n: 1 });
		assert.equal(page.hub.socket.readyState, 3);
		assert.deepEqual(one.events, [["open"]]);
		page.window.dispatchEvent(new Event("pageshow"));
		assert.deepEqual(one.events, [["open"],
			["close", 1006, "", false]]);
		page.window.dispatchEvent(new Event("pageshow"));
		assert.equal(one.events.length, 2);
		await accepted(page);
		assert.equal(page.hub.sockets.length, 2);
	});
});

describe("the handle", () => {
	const PREFIX = `tether:${BASE} `;
	const refuse = async (page) => {
		const one = connect(page);
		const { payload } = await one.asked();
		one.end(1006, "403 no such handle", false);
		await page.clock.advance(5000);
		assert.equal(one.socket.readyState, 3);
		return payload.handle;
	};
	const answer = (body, status = 200) => () =>
		new Response(JSON.stringify(body), { status });

	test("a new one when it is refused, once a minute", async () => {
		let count = 1;
		const page = openPage({ respond: () => new Response(
			JSON.stringify({ handle: `tether_${++count}` })) });
		assert.equal(await refuse(page), "tether_one");
		const [[url, options]] = page.calls.filter(([name]) =>
			name === "fetch").map(([, ...rest]) => rest);
		assert.equal(url, `${BASE}/__tether/handle`);
		assert.equal(options?.method ?? "POST", "POST");
		assert.equal(page.areas.localStorage.getItem(
			`${PREFIX}auth-token`), "tether_2");
		assert.equal(await refuse(page), "tether_2");
		assert.equal(page.called("fetch").length, 1);
		await page.clock.advance(60_000);
		assert.equal(await refuse(page), "tether_2");
		assert.equal(page.called("fetch").length, 2);
		assert.equal(await refuse(page), "tether_3");
	});

	test("answers that hold none", () => eachRow([answer({}),
		answer({ handle: "" }), answer({ handle: 7 }), answer(null),
		answer({ handle: "tether_2" }, 403), () => new Response("<html>"),
		() => Promise.reject(new TypeError("away"))],
	async (respond) => {
		const page = openPage({ respond });
		await refuse(page);
		assert.equal(await refuse(page), "tether_one");
	}));

	test("other reasons do not ask for one", async () => {
		const page = openPage();
		const one = connect(page);
		await one.asked();
		one.end(1006, "502 403", false);
		await page.clock.advance(1000);
		assert.equal(page.called("fetch").length, 0);
	});
});
