// The end of tunnels, of the browser socket, of handles.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";
import { accepted, connect } from "./lib/tunnel.mjs";

const PIECE = 64 * 1024;

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
			[[undefined, "r"], "InvalidAccessError"],
			[[1000, "x".repeat(124)], "SyntaxError"],
			[[1000, "é".repeat(62)], "SyntaxError"]];
		const one = await accepted(page);
		await eachRow(bad, ([args, name]) => assert.throws(() =>
			one.socket.close(...args), { name }));
		assert.equal(one.socket.readyState, 1);
		await eachRow([[[], {}], [[1000], { code: 1000 }],
			[["4999"], { code: 4999 }], [[undefined], {}],
			[[3000.4, 7], { code: 3000, reason: "7" }],
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

	test("by a web app that breaks the protocol", async () => {
		const one = await accepted(openPage());
		one.end(1002, "unknown opcode", false);
		assert.deepEqual(one.events, [["open"], ["error"],
			["close", 1006, "", false]]);
		assert.equal(one.socket.readyState, 3);
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
		const three = await accepted(page);
		assert.equal(page.hub.sockets.length, 2);
		// the old one has something to say
		page.hub.sockets[0].dispatchEvent(new Event("close"));
		page.hub.sockets[0].dispatchEvent(new Event("open"));
		assert.equal(three.socket.readyState, 1);
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
