// fetch, XMLHttpRequest, history, windows, workers, caches.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";

// Objects of the page's realm have other prototypes.
const copy = (value) => JSON.parse(JSON.stringify(value));

const ORIGIN = "http://hub.test";
const ROOT = ORIGIN + BASE;

describe("fetch and Request", () => {
	// The request that goes out.
	async function sent(page, ...args) {
		await page.window.fetch(...args);
		return page.called("fetch").at(-1)[0];
	}

	test("URLs, as string, URL or Request", async () => {
		const page = openPage();
		const { Request } = page.window;
		const { Request: Foreign } = openPage({ run: false }).window;
		await eachRow([
			["/api/x", `${ROOT}/api/x`],
			[`${ORIGIN}/api/x`, `${ROOT}/api/x`],
			["api/x", `${ROOT}/api/x`],
			[`${BASE}/api/x`, `${ROOT}/api/x`],
			["http://other.test/x", "http://other.test/x"],
			[new URL("/x", ORIGIN), `${ROOT}/x`],
			[new Request("/x"), `${ROOT}/x`],
			// those that another realm made
			[new Foreign("/x"), `${ROOT}/x`],
			[new Foreign("http://other.test/x"),
				"http://other.test/x"],
		], async ([input, url]) =>
			assert.equal((await sent(page, input)).url, url));
		assert.equal(new Request("/x").url, `${ROOT}/x`);
		assert.ok(new Request("/x") instanceof Request);
		assert.equal(new Request("/x").constructor, Request);
		assert.throws(() => new Request(), { name: "TypeError" });
	});

	test("all the rest is kept", async () => {
		const page = openPage();
		const controller = new AbortController();
		const request = await sent(page, "/x", { method: "PUT",
			body: "text", headers: { "X-A": "1" },
			credentials: "omit", cache: "no-store",
			redirect: "manual", mode: "same-origin",
			integrity: "sha256-x", keepalive: true,
			signal: controller.signal, duplex: "half" });
		assert.equal(request.method, "PUT");
		assert.equal(await request.text(), "text");
		assert.equal(request.headers.get("x-a"), "1");
		for (const [name, value] of Object.entries({
			credentials: "omit", cache: "no-store",
			redirect: "manual", mode: "same-origin",
			integrity: "sha256-x", keepalive: true }))
			assert.equal(request[name], value);
		assert.ok(!request.signal.aborted);
		controller.abort();
		assert.ok(request.signal.aborted);
	});

	test("a request with its options over it", async () => {
		const page = openPage();
		const input = new page.window.Request("/x",
			{ method: "POST", body: "b", headers: { "X-A": "1" } });
		const request = await sent(page, input, { method: "PUT" });
		assert.equal(request.method, "PUT");
		assert.equal(request.headers.get("x-a"), "1");
		assert.equal(await request.text(), "b");
	});

	test("the handle is taken off, in every form", async () => {
		const page = openPage();
		const { Request } = page.window;
		const mine = "Bearer tether_xyz";
		await eachRow([
			[mine, null], ["bearer  tether_xyz", null],
			["Bearer a.b.c", "Bearer a.b.c"],
			["Basic tether_xyz", "Basic tether_xyz"],
			["tether_xyz", "tether_xyz"],
		], async ([Authorization, left]) => {
			const plain = { Authorization, "X-A": "1" };
			for (const headers of [plain, Object.entries(plain),
				new Headers(plain),
				new Map(Object.entries(plain))])
				for (const args of [["/x", { headers }],
					[new Request("/x", { headers })]]) {
					const { headers: out } =
						await sent(page, ...args);
					assert.equal(out.get("authorization"),
						left);
					assert.equal(out.get("x-a"), "1");
				}
		});
	});

	test("the app's own request keeps its header", async () => {
		const page = openPage();
		const headers = { Authorization: "Bearer tether_xyz" };
		const request = new page.window.Request("/x", { headers });
		await page.window.fetch(request);
		assert.equal(request.headers.get("authorization"),
			"Bearer tether_xyz");
	});

	test("errors are the native ones, as rejections", async () => {
		const page = openPage();
		await assert.rejects(page.window.fetch(),
			{ name: "TypeError" });
		page.window.fetch("http://[").catch(() => {});
		assert.equal(page.called("fetch").at(-1)[0], "http://[");
		assert.equal(await (await page.window.fetch("/x")).text(),
			"native");
	});

	test("bytes that came as base64 are bytes again", async () => {
		const headers = { "X-Orch-Encoding": "base64", "X-Other": "y" };
		const page = openPage({ respond: () => Object.defineProperty(
			new Response("AP9h", { status: 404, headers }), "url",
			{ value: `${ROOT}/x` }) });
		const answer = await page.window.fetch("/x");
		assert.deepEqual(new Uint8Array(await answer.arrayBuffer()),
			new Uint8Array([0, 255, 97]));
		assert.equal(answer.status, 404);
		assert.equal(answer.url, `${ROOT}/x`);
		assert.deepEqual([...answer.headers], [
			["content-type", "text/plain;charset=UTF-8"], ["x-other", "y"]]);
		headers["X-Orch-Encoding"] = "other";
		assert.equal(await (await page.window.fetch("/x")).text(), "AP9h");
	});
});

describe("XMLHttpRequest", () => {
	test("open and headers", () => {
		const page = openPage();
		const xhr = new page.window.XMLHttpRequest();
		assert.throws(() => xhr.setRequestHeader("Authorization",
			"Bearer tether_x"), { name: "InvalidStateError" });
		xhr.open("POST", "/api/up", true, "u", "p");
		xhr.setRequestHeader("AUTHORIZATION", "Bearer tether_x");
		xhr.setRequestHeader("Authorization", "Bearer a.b.c");
		xhr.setRequestHeader("X-A", "Bearer tether_x");
		xhr.open("GET");
		assert.deepEqual(page.calls, [
			["open", "POST", `${BASE}/api/up`, true, "u", "p"],
			["header", "Authorization", "Bearer a.b.c"],
			["header", "X-A", "Bearer tether_x"],
			["open", "GET"],
		]);
	});
});

describe("what takes a URL", () => {
	test("with all its arguments", async () => {
		const page = openPage();
		const { window } = page;
		const data = {};
		const navigator = new window.Navigator();
		const history = new window.History();
		const rows = [
			["beacon", () => navigator.sendBeacon("/b", data),
				[`${BASE}/b`, data]],
			["window.open", () => window.open("/w", "_blank", "x"),
				[`${BASE}/w`, "_blank", "x"]],
			["window.open", () => window.open(), []],
			["window.open", () => window.open("", "_blank"),
				["", "_blank"]],
			["window.open", () => window.open("http://o.test/"),
				["http://o.test/"]],
			["Worker", () => new window.Worker("/w.js", data),
				[`${BASE}/w.js`, data]],
			["Worker", () => new window.Worker("blob:x"),
				["blob:x"]],
			["SharedWorker", () => new window.SharedWorker("/s",
				"n"), [`${BASE}/s`, "n"]],
			["Audio", () => new window.Audio("/a.mp3"),
				[`${BASE}/a.mp3`]],
			["Audio", () => new window.Audio(), []],
			["pushState", () => history.pushState(data, "", BASE),
				[data, "", `${BASE}/`]],
			["pushState", () => history.pushState(data, "",
				`${BASE}?x`), [data, "", `${BASE}/?x`]],
			["pushState", () => history.pushState(data, ""),
				[data, ""]],
			["pushState", () => history.pushState(data, "", null),
				[data, "", null]],
			["replaceState", () => history.replaceState(data, "",
				"/session/1"), [data, "", `${BASE}/session/1`]],
			["replaceState", () => history.replaceState(data, "",
				BASE), [data, "", `${BASE}/`]],
		];
		for (const [name, call, args] of rows) {
			call();
			assert.deepEqual(page.called(name).at(-1), args, name);
		}
		assert.ok(new window.Audio() instanceof window.Audio);
	});
});

describe("service workers", () => {
	const at = (scope) => ({ scope });

	test("register", async () => {
		const page = openPage();
		const container = new page.window.ServiceWorkerContainer();
		await container.register("/sw.js");
		await container.register("/sw.js", { scope: "/a/", type: "x" });
		await container.register(`${BASE}/sw.js`, { scope: "./" });
		await container.register("/sw.js", { scope: "/" });
		assert.deepEqual(copy(page.called("register")), [
			[`${BASE}/sw.js`],
			[`${BASE}/sw.js`, { scope: `${BASE}/a/`, type: "x" }],
			[`${BASE}/sw.js`, { scope: "./" }],
			[`${BASE}/sw.js`, { scope: `${BASE}/` }],
		]);
	});

	test("only those below the prefix are there", async () => {
		const registrations = [at(`${ORIGIN}/`), at(`${ROOT}/`),
			at(`${ROOT}x/`), at(`${ROOT}/a/`)];
		const page = openPage({ registrations });
		const container = new page.window.ServiceWorkerContainer();
		assert.deepEqual(await container.getRegistrations(),
			[registrations[1], registrations[3]]);
		assert.equal(await container.getRegistration(), undefined);
		registrations.shift();
		assert.equal(await container.getRegistration("/x"),
			registrations[0]);
		assert.deepEqual(page.called("getRegistration"),
			[[], [`${BASE}/x`]]);
		registrations.length = 0;
		assert.equal(await container.getRegistration(), undefined);
	});

	test("notifications", async () => {
		const page = openPage();
		const registration =
			new page.window.ServiceWorkerRegistration();
		await registration.showNotification("t", { body: "/b",
			icon: "/i", badge: "/b", image: "/m",
			actions: [{ action: "/a", icon: "/c" },
				{ action: "d" }],
		});
		await registration.showNotification("t");
		assert.deepEqual(copy(page.called("showNotification")), [["t", {
			body: "/b", icon: `${BASE}/i`, badge: `${BASE}/b`,
			image: `${BASE}/m`, actions: [
				{ action: "/a", icon: `${BASE}/c` },
				{ action: "d" }] }], ["t"]]);
	});
});

describe("caches", () => {
	test("names have the namespace, foreign ones do not show", async () => {
		const page = openPage();
		const { caches, stores } = page.window;
		const name = `tether:${BASE} v1`;
		stores.set("theirs", { items: new Map([["/x", 1]]) });
		await caches.open("v1");
		assert.deepEqual([...stores.keys()], ["theirs", name]);
		assert.deepEqual(await caches.keys(), ["v1"]);
		assert.equal(await caches.has("v1"), true);
		assert.equal(await caches.has("theirs"), false);
		assert.equal(await caches.delete("theirs"), false);
		assert.equal(await caches.delete("v1"), true);
		assert.deepEqual([...stores.keys()], ["theirs"]);
	});

	test("match looks into ours alone", async () => {
		const page = openPage();
		const { caches, stores } = page.window;
		stores.set("theirs", { items: new Map(
			[["x", "bad"], [`${BASE}/x`, "bad"]]) });
		assert.equal(await caches.match("/x"), undefined);
		assert.equal(await caches.match("/x", { cacheName: "theirs" }),
			undefined);
		await (await caches.open("v1")).put("/x", "one");
		await (await caches.open("v2")).put("/x", "two");
		await (await caches.open("v2")).put("/y", "three");
		assert.equal(await caches.match("/x"), "one");
		assert.equal(await caches.match("/y"), "three");
		assert.equal(await caches.match("/x", { cacheName: "v2" }),
			"two");
		assert.equal(await caches.match("/x", { cacheName: "no" }),
			undefined);
	});

	test("URLs of a cache's methods", async () => {
		const page = openPage();
		const cache = await page.window.caches.open("v1");
		const request = new page.window.Request("/x");
		await cache.add("/a");
		await cache.addAll(["/a", request, "http://o.test/"]);
		await cache.delete("/a");
		await cache.match("/a");
		await cache.matchAll("/a");
		await cache.keys("/a");
		await cache.keys();
		await cache.put("/a", 1);
		assert.deepEqual(page.calls, [
			["add", `${BASE}/a`],
			["addAll", `${BASE}/a`, request, "http://o.test/"],
			["delete", `${BASE}/a`], ["match", `${BASE}/a`],
			["matchAll", `${BASE}/a`], ["keys", `${BASE}/a`],
			["keys"], ["put", `${BASE}/a`],
		]);
	});
});
