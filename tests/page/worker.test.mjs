// The prologue of the service worker, in front of what the apps have there.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { describe, test } from "node:test";
import vm from "node:vm";

import { eachRow } from "../integration/lib/table.mjs";
import { makeCaches, makeFetch, makeWorkers } from "./lib/fakes.mjs";
import { BASE, workerText } from "./lib/page.mjs";

const ORIGIN = "http://hub.test";
const NAMES = `tether:${BASE} `;

function openWorker(text, { config = { base: BASE, client: "box" },
	href = `${ORIGIN}${BASE}/sw.js`, clients = [],
	respond = () => new Response("native") } = {}) {
	const calls = [];
	const log = (name, ...details) => calls.push([name, ...details]);
	const listeners = [];

	class WorkerTarget {
		addEventListener(type, listener) {
			listeners.push([`${type}`, listener]);
		}
	}
	class Clients {
		async matchAll(options) {
			log("matchAll", options);
			return clients;
		}

		async get(id) {
			return clients[id];
		}

		async claim() {
			log("claim");
		}

		async openWindow(...args) {
			log("openWindow", ...args);
		}
	}
	class WindowClient {
		async navigate(...args) {
			log("navigate", ...args);
		}
	}
	const location = { href, host: new URL(href).host,
		protocol: new URL(href).protocol, search: new URL(href).search,
		origin: ORIGIN };
	let onfetch = null;
	const scope = {
		URL, URLSearchParams, Headers, Response, atob, btoa,
		crypto: webcrypto,
		EventTarget: WorkerTarget, Clients, WindowClient, location,
		clients: new Clients(), ...makeWorkers(log, []),
		...makeCaches(log), ...makeFetch(log, () => href, respond),
		skipWaiting: () => log("skipWaiting"),
		addEventListener: WorkerTarget.prototype.addEventListener,
		importScripts: (...args) => {
			log("importScripts", ...args);
		},
		get onfetch() {
			return onfetch;
		},
		set onfetch(value) {
			onfetch = value;
		},
	};
	vm.createContext(scope);
	vm.runInContext("globalThis.self = globalThis;", scope);
	// The method is inherited in a browser; here the global object has a
	// copy, so that it must be the patched one.
	Object.defineProperty(scope, "addEventListener", { configurable: true,
		get: () => WorkerTarget.prototype.addEventListener });
	const before = Object.keys(scope);
	vm.runInContext(`${workerText}(${JSON.stringify(config)});\n${text}`,
		scope);
	return { scope, calls, listeners, before, get onfetch() {
		return onfetch;
	}, called: (name) => calls.filter(([n]) => n === name)
		.map(([, ...details]) => details) };
}

const appLike = `
	self.addEventListener("install", () => {});
	addEventListener("fetch", () => {});
	self.addEventListener("fetch", { handleEvent() {} });
	EventTarget.prototype.addEventListener.call(self, "fetch", () => {});
	self.addEventListener("push", () => {});
	self.onfetch = function f() {};`;

describe("the prologue", () => {
	test("leaves nothing behind", () => {
		const { scope, before } = openWorker("");
		assert.deepEqual(Object.keys(scope), before);
		const named = openWorker("const config = 1, prefix = 2, fix = 3;");
		assert.ok(named.scope);
	});

	test("fetch listeners are dropped", () => {
		const worker = openWorker(appLike);
		assert.deepEqual(worker.listeners.map(([type]) => type),
			["install", "push"]);
		assert.equal(worker.onfetch, null);
		assert.equal(worker.scope.onfetch.name, "f");
		worker.scope.onfetch = 7;
		assert.equal(worker.scope.onfetch, null);
	});

	test("other targets may listen to what they like", () => {
		const worker = openWorker(`
			const target = new EventTarget();
			target.addEventListener("fetch", () => {});
			self.addEventListener("fetchx", () => {});`);
		assert.deepEqual(worker.listeners.map(([type]) => type),
			["fetch", "fetchx"]);
	});

	test("foreign caches are neither seen nor deleted", async () => {
		const worker = openWorker("");
		const { caches, stores } = worker.scope;
		stores.set("theirs", {});
		stores.set(`${NAMES}old`, {});
		const cache = await caches.open("v1");
		await cache.addAll(["/", "/index.html"]);
		assert.deepEqual(worker.called("addAll"),
			[[`${BASE}/`, `${BASE}/index.html`]]);
		const names = await caches.keys();
		assert.deepEqual([...names], ["old", "v1"]);
		for (const name of names)
			if (name !== "v1")
				assert.equal(await caches.delete(name), true);
		assert.deepEqual([...stores.keys()],
			["theirs", `${NAMES}v1`]);
		await cache.put("/x", "answer");
		assert.equal(await caches.match("/x"), "answer");
	});

	test("URLs", async () => {
		const worker = openWorker("");
		const { scope } = worker;
		await scope.fetch("/api/x", { headers: {
			Authorization: "Bearer tether_x" } });
		const [[request]] = worker.called("fetch");
		assert.equal(request.url, `${ORIGIN}${BASE}/api/x`);
		assert.equal(request.headers.get("authorization"), null);
		assert.equal(new scope.Request("/y").url,
			`${ORIGIN}${BASE}/y`);
		scope.importScripts("/a.js", "b.js", "http://o.test/c.js");
		await scope.clients.openWindow("/session/1");
		await new scope.WindowClient().navigate("/n");
		await new scope.ServiceWorkerRegistration()
			.showNotification("t", { icon: "/i.png" });
		assert.deepEqual(JSON.parse(JSON.stringify(
			worker.calls.slice(1))), [
			["importScripts", `${BASE}/a.js`, "b.js",
				"http://o.test/c.js"],
			["openWindow", `${BASE}/session/1`],
			["navigate", `${BASE}/n`],
			["showNotification", "t", { icon: `${BASE}/i.png` }]]);
	});

	test("what an orchestrator could not carry is undone", async () => {
		const png = new Uint8Array([137, 80, 78, 71, 255, 0]);
		const answers = {
			"/a.png": () => new Response(
				Buffer.from(png).toString("base64"), { status: 201,
					headers: { "Content-Type": "image/png",
						"X-Orch-Encoding": "base64" } }),
			"/plain": () => new Response("aGk="),
		};
		const worker = openWorker("", {
			config: { base: BASE, client: "box", base64: true },
			respond: ({ url }) =>
				answers[url.slice((ORIGIN + BASE).length)](),
		});
		const { scope } = worker;
		const on = Object.fromEntries(worker.listeners);
		assert.deepEqual(Object.keys(on), ["install", "activate", "fetch"]);
		on.install();
		on.activate({ waitUntil() {} });
		assert.deepEqual(worker.calls, [["skipWaiting"], ["claim"]]);

		// What a script fetches comes undone to it, too.
		const ask = (url, destination) => new Promise((resolve) => {
			const request = new scope.Request(url);
			Object.defineProperty(request, "destination",
				{ value: destination });
			on.fetch({ request, respondWith: resolve });
			resolve(null);
		});
		const answer = await ask(`${BASE}/a.png`, "image");
		assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), png);
		assert.equal(answer.status, 201);
		assert.equal(answer.headers.get("content-type"), "image/png");
		assert.equal(answer.headers.get("x-orch-encoding"), null);
		const plain = await ask(`${BASE}/plain`, "font");
		assert.equal(await plain.text(), "aGk=");
		for (const destination of ["", "document", "script", "style",
			"manifest", "worker", "iframe"])
			assert.equal(await ask(`${BASE}/a.png`, destination), null);
		assert.equal(await ask("http://o.test/a.png", "image"), null);
	});

	test("clients of others do not show", async () => {
		const clients = ["/", `${BASE}/a`, `${BASE}x/`, "/clients/b/proxy/"]
			.map((path) => ({ url: ORIGIN + path }));
		const { scope, calls } = openWorker("", { clients });
		const options = { type: "window" };
		assert.deepEqual([...await scope.clients.matchAll(options)],
			[clients[1]]);
		assert.deepEqual(calls, [["matchAll", options]]);
		assert.equal(await scope.clients.get(1), clients[1]);
		assert.equal(await scope.clients.get(0), undefined);
		assert.equal(await scope.clients.get(9), undefined);
	});

	test("where the prefix comes from", () => {
		const query = (value) => `${ORIGIN}/sw.js?proxyBase=${value}`;
		return eachRow([
			[{ base: BASE }, `${ORIGIN}/sw.js`, `${BASE}/x`],
			[{ base: BASE }, query("/other"), `${BASE}/x`],
			[{}, query("/other"), "/other/x"],
			[{}, query("/other/"), "/other/x"],
			[{}, query("%2Fa%2Fb"), "/a/b/x"],
			[{}, query(""), "/x"], [{}, query("//evil"), "/x"],
			[{}, query("http://evil"), "/x"],
			[{}, `${ORIGIN}/sw.js`, "/x"],
		], ([config, href, url]) => {
			const worker = openWorker('importScripts("/x");',
				{ config, href });
			assert.deepEqual(worker.called("importScripts"),
				[[url]]);
		});
	});
});
