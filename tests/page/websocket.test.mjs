// WebSockets through the tunnel: what a page sees of them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";
import { accepted, connect } from "./lib/tunnel.mjs";

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
		const one = await accepted(openPage());
		one.say({ t: "open", protocol: "x" });
		assert.deepEqual(one.events, [["open"]]);
		assert.equal(one.socket.readyState, 1);
		const two = await connect(openPage(), "/ws", "b").accept("b");
		assert.equal(two.socket.protocol, "b");
	});

	test("a choice of subprotocols that is not made", async () => {
		const page = openPage();
		const one = await connect(page, "/ws", ["a"]).accept("");
		assert.equal(page.hub.of("tunnel.close").length, 0);
		await page.clock.advance(250);
		await page.hub.pump();
		assert.equal(page.hub.of("tunnel.close").length, 1);
		assert.deepEqual(one.events, [["error"],
			["close", 1006, "", false]]);
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
		one.end(1006, "504 late", false);
		assert.equal(one.events.length, 2);
		// and has failed once
		const two = connect(page);
		await two.asked();
		two.end(1006, "502 x", false);
		await page.clock.advance(500);
		assert.equal(two.socket.readyState, 3);
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

describe("handler properties", () => {
	test("a handler that returns false", async () => {
		const { socket } = await accepted(openPage());
		const send = (value) => {
			const event = new Event("message",
				{ cancelable: true });
			socket.onmessage = () => value;
			socket.dispatchEvent(event);
			return event.defaultPrevented;
		};
		assert.deepEqual([false, 0, undefined, true].map(send),
			[true, false, false, false]);
	});

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
