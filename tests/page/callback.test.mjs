// Pages that go to the web app by themselves.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { jwt } from "./lib/jwt.mjs";
import { BASE, CONFIG, openPage } from "./lib/page.mjs";

const TOKEN = jwt(2 ** 33);
const WS = `token=${TOKEN}`;

const open = (config) => openPage({ config: { ...CONFIG,
	callback: "https://ui.test:3001/some/path", token: TOKEN, ...config } });

describe("callback", () => {
	test("WebSockets of the app", () => eachRow([
		["/ws", `wss://ui.test:3001/ws?${WS}`],
		[`ws://hub.test${BASE}/ws?a=b%20c`,
			`wss://ui.test:3001/ws?a=b%20c&${WS}`],
		["/shell?token=mine&x=1", `wss://ui.test:3001/shell?x=1&${WS}`],
		["//hub.test//evil.test/x", `wss://ui.test:3001/evil.test/x?${WS}`],
		["ws://else.test/ws", "ws://else.test/ws"],
	], ([url, expected]) => {
		const page = open();
		const socket = new page.window.WebSocket(url, ["one"]);
		assert.deepEqual(page.sockets.map((s) => s.url), [expected]);
		assert.ok(socket instanceof page.window.WebSocket);
	}));

	test("the scheme is that of the URL", () => {
		const page = open({ callback: "http://127.0.0.1:3001" });
		void new page.window.WebSocket("/ws");
		assert.equal(page.sockets[0].url,
			`ws://127.0.0.1:3001/ws?${WS}`);
	});

	test("event streams", () => {
		const page = open();
		void new page.window.EventSource("/api/events?a=1",
			{ withCredentials: false });
		assert.deepEqual(page.called("EventSource").map(([url]) =>
			String(url)), [`https://ui.test:3001/api/events?a=1&${WS}`]);
	});

	test("otherwise it is a tunnel", () => eachRow([
		[{ token: undefined }], [{ callback: undefined }],
		[{ callback: "nowhere" }], [{ callback: "ftp://ui.test" }],
		[{ token: jwt(1) }],
	], async ([config]) => {
		const page = open(config);
		void new page.window.WebSocket("/ws");
		await page.hub.pump();
		assert.equal(page.hub.last("tunnel.open").payload.path, "/ws");
		assert.equal(page.sockets.length, 1);
	}));
});
