// What is patched looks as it did, and holds when the app changes builtins.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import vm from "node:vm";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";

// Owner and name of all that is patched.
const patched = `
	[globalThis, "fetch"], [globalThis, "open"], [globalThis, "Request"],
	[globalThis, "WebSocket"], [globalThis, "EventSource"],
	[globalThis, "Worker"], [globalThis, "SharedWorker"],
	[globalThis, "Audio"], [globalThis, "StorageEvent"],
	[Function.prototype, "toString"],
	[History.prototype, "pushState"], [History.prototype, "replaceState"],
	[XMLHttpRequest.prototype, "open"],
	[XMLHttpRequest.prototype, "setRequestHeader"],
	[Navigator.prototype, "sendBeacon"],
	[ServiceWorkerContainer.prototype, "register"],
	[ServiceWorkerContainer.prototype, "getRegistration"],
	[ServiceWorkerContainer.prototype, "getRegistrations"],
	[ServiceWorkerRegistration.prototype, "showNotification"],
	[CacheStorage.prototype, "open"], [CacheStorage.prototype, "match"],
	[CacheStorage.prototype, "keys"], [Cache.prototype, "addAll"],
	[Storage.prototype, "getItem"], [Storage.prototype, "setItem"],
	[Storage.prototype, "removeItem"], [Storage.prototype, "key"],
	[Storage.prototype, "clear"], [Storage.prototype, "length"],
	[StorageEvent.prototype, "key"],
	[Element.prototype, "setAttribute"],
	[Element.prototype, "setAttributeNS"],
	[Element.prototype, "attachShadow"],
	[XMLHttpRequest.prototype, "send"],
	[HTMLImageElement.prototype, "src"],
	[HTMLAnchorElement.prototype, "href"],
	[SVGAnimatedString.prototype, "baseVal"],
	[WebSocket.prototype, "send"], [WebSocket.prototype, "close"],
	[WebSocket.prototype, "readyState"], [WebSocket.prototype, "onopen"],
	[WebSocket.prototype, "binaryType"], [EventSource.prototype, "close"],
	[EventSource.prototype, "readyState"]`;

const describeAll = `[${patched}].map(([owner, name]) => {
	const found = Object.getOwnPropertyDescriptor(owner, name);
	const look = (f) => f && [f.name, f.length,
		Function.prototype.toString.call(f),
		Object.getOwnPropertyNames(f).sort().join(),
		typeof f.prototype, Object.prototype.toString.call(f)];
	return JSON.stringify([name, found.enumerable, found.configurable,
		found.writable, look(found.value), look(found.get),
		look(found.set)]);
})`;

describe("the look", () => {
	test("names, lengths, texts, descriptors", () => {
		const page = openPage({ run: false });
		const before = page.inside(describeAll);
		page.run();
		assert.deepEqual([...page.inside(describeAll)], [...before]);
	});

	test("all of them are patched", () => {
		const values = `[${patched}].map(([owner, name]) => {
			const { value, get, set } =
				Object.getOwnPropertyDescriptor(owner, name);
			return [name, value, get, set];
		})`;
		const page = openPage({ run: false });
		const before = page.inside(values);
		page.run();
		const after = page.inside(values);
		for (const [i, [name, ...functions]] of before.entries())
			assert.notDeepEqual(functions, after[i].slice(1), name);
	});

	test("another realm sees native code", () => {
		const page = openPage();
		const { toString } = vm.runInNewContext("Function.prototype");
		for (const f of [page.window.fetch, page.window.WebSocket,
			page.window.Element.prototype.setAttribute])
			assert.match(toString.call(f), /\[native code\]/);
	});

	test("constructors, prototypes, constants", () => {
		const { window } = openPage();
		const { WebSocket } = window;
		assert.equal(WebSocket.prototype.constructor, WebSocket);
		assert.equal(WebSocket.CLOSING, 2);
		assert.equal(WebSocket.prototype.CLOSED, 3);
		assert.equal(window.EventSource.CLOSED, 2);
		assert.throws(() => WebSocket("ws://o.test/"),
			{ name: "TypeError" });
		assert.throws(() => WebSocket.prototype.readyState,
			{ name: "TypeError" });
		assert.throws(() => WebSocket.prototype.send.call({}, "x"),
			{ name: "TypeError" });
		assert.throws(() => window.EventSource.prototype.readyState,
			{ name: "TypeError" });
	});

	test("toString of what is no function", () => {
		const { inside } = openPage();
		assert.throws(() => inside(
			"Function.prototype.toString.call({})"),
		{ name: "TypeError" });
		assert.equal(inside("String(function a() { return 1; })"),
			"function a() { return 1; }");
		assert.match(inside("String(Function.prototype.toString)"),
			/^function toString\(\) \{ \[native code\] \}$/);
	});
});

describe("an app that changes builtins", () => {
	const broken = `
		for (const name of ["URL", "Map", "Set", "WeakMap", "Promise",
			"Request", "Response", "WebSocket", "EventSource",
			"MessageEvent", "Event", "CloseEvent", "TextEncoder",
			"TextDecoder", "Blob", "DOMException", "setTimeout",
			"clearTimeout", "btoa", "atob", "Uint8Array", "Proxy"])
			delete globalThis[name];
		JSON.parse = JSON.stringify = Reflect.apply = null;
		Reflect.construct = Object.defineProperty = null;
		Object.getOwnPropertyDescriptor = Date.now = null;
		Element.prototype.getAttribute = null;
		Storage.prototype.getItem = Storage.prototype.key = null;`;

	test("URLs, storage and sockets go on", async () => {
		const page = openPage();
		const { WebSocket, localStorage } = page.window;
		page.inside(broken);
		new page.window.Worker("/x");
		assert.deepEqual(page.called("Worker"), [[`${BASE}/x`]]);
		localStorage.a = "1";
		assert.equal(localStorage.a, "1");
		const { send } = WebSocket.prototype;
		const socket = new WebSocket("/ws");
		WebSocket.prototype.send = WebSocket.prototype.close = null;
		await page.hub.pump();
		page.hub.reply(page.hub.last("tunnel.open"),
			{ t: "open", protocol: "" });
		send.call(socket, "hello");
		await page.hub.pump();
		assert.equal(page.hub.last("tunnel.send").payload.d, "hello");
	});
});
