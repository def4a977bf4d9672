// What goes through a tunnel, both ways.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { openPage } from "./lib/page.mjs";
import { accepted, connect } from "./lib/tunnel.mjs";

const PIECE = 64 * 1024;

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
		await page.hub.until("tunnel.send", 11);
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
		const shared = new SharedArrayBuffer(4);
		for (const data of [Symbol("x"), shared, new Uint8Array(shared)])
			assert.throws(() => one.socket.send(data),
				{ name: "TypeError" });
		await page.hub.pump();
		assert.equal(page.hub.of("tunnel.send").length, 0);
	});

	test("memory that was given away is empty", async () => {
		const page = openPage();
		const { socket } = await accepted(page);
		const gone = new Uint8Array(4);
		structuredClone(gone, { transfer: [gone.buffer] });
		socket.send(gone);
		socket.send(gone.buffer);
		await page.hub.until("tunnel.send", 2);
		for (const { payload } of page.hub.of("tunnel.send"))
			assert.equal(payload.b, "");
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
		await one.flushed();
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
		const bytes = new Uint8Array(150 * 1024).map((b, i) => i * 7);
		one.socket.send("first");
		one.socket.send(new Blob([bytes]));
		one.socket.send("second");
		one.socket.send(bytes);
		one.socket.send("third");
		await one.flushed();
		const kinds = one.sent.map(({ d, b, more }) =>
			(d ?? `${atob(b).length}`) + (more ? "+" : ""));
		assert.deepEqual(kinds, ["first", "65536+", "65536+", "22528",
			"second", "65536+", "65536+", "22528", "third"]);
		for (const at of [1, 5])
			assert.ok(Buffer.concat(one.sent.slice(at, at + 3)
				.map(({ b }) => Buffer.from(b, "base64")))
				.equals(Buffer.from(bytes)));
	});

	test("a flood of small messages", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		for (let i = 0; i < 600; i++)
			one.socket.send(`${i}`);
		await page.hub.pump();
		assert.equal(one.sent.length, 256);
		page.hub.answer(page.hub.of("tunnel.send")[0]);
		await page.hub.pump();
		assert.equal(one.sent.length, 257);
		for (let i = 1; i < 600; i++) {
			page.hub.answer(page.hub.of("tunnel.send")[i]);
			await page.hub.pump();
		}
		assert.deepEqual(one.sent.map(({ n, d }) => [n, d]),
			Array.from({ length: 600 }, (_, i) => [i, `${i}`]));
		assert.equal(one.socket.bufferedAmount, 0);
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
		await page.hub.until("tunnel.send", 6);
		assert.equal(one.sent.length, 6);
		assert.equal(one.sent[5].d, "after");
	});

	test("bytes are those of the moment", async () => {
		const page = openPage();
		page.hub.automatic = false;
		const one = await accepted(page);
		const bytes = new Uint8Array([1]);
		one.socket.send(new Uint8Array(4 * PIECE));
		one.socket.send("x");
		one.socket.send(bytes);
		bytes[0] = 2;
		await page.hub.pump();
		page.hub.answer(page.hub.of("tunnel.send")[0]);
		await page.hub.until("tunnel.send", 6);
		assert.equal(atob(one.sent[5].b), "\x01");
	});

	test("a blob is sent before the close", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.send(new Blob(["x"]));
		one.socket.close();
		await page.hub.until("tunnel.close", 1);
		assert.equal(page.hub.last("tunnel.close").payload.n, 1);
		const two = await accepted(page);
		two.socket.send(new Blob(["x"]));
		two.end(1000);
		await new Blob(["x"]).arrayBuffer();
		await page.hub.pump();
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
				{ error: true, message: "no tunnel" }, true);
			assert.equal(one.socket.readyState, 1);
			return one;
		};
		const one = await refuse();
		await page.clock.advance(2000);
		assert.deepEqual(one.events.at(-1), ["close", 1006, "", false]);
		const two = await refuse();
		two.end(4001, "why", true);
		assert.deepEqual(two.events.at(-1),
			["close", 4001, "why", true]);
	});
});
