// localStorage and sessionStorage: a namespace that does not show.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { jwt } from "./lib/jwt.mjs";
import { BASE, CONFIG, openPage } from "./lib/page.mjs";

const PREFIX = `tether:${BASE} `;
const nobody = { config: { ...CONFIG, handle: "" } };

// The page's storage, and what is really in it.
function open(options = nobody) {
	const page = openPage(options);
	const area = page.areas.localStorage;
	return { page, area, local: page.window.localStorage };
}

describe("the facade", () => {
	test("keys have the namespace, foreign ones do not show", () => {
		const { local, page } = open();
		const real = page.areas.localStorage;
		real.setItem("mine", "1");
		real.setItem(`tether:${BASE}2 x`, "2");
		local.setItem("a", 1);
		local.b = "2";
		local["c d"] = "3";
		assert.equal(real.getItem(`${PREFIX}a`), "1");
		assert.equal(real.getItem(`${PREFIX}b`), "2");
		assert.equal(real.getItem(`${PREFIX}c d`), "3");
		assert.equal(local.length, 3);
		assert.deepEqual(Object.keys(local), ["a", "b", "c d"]);
		assert.deepEqual({ ...local }, { a: "1", b: "2", "c d": "3" });
		assert.equal(local.mine, undefined);
		assert.equal(local.getItem("mine"), null);
		assert.ok(!("mine" in local));
		assert.equal(JSON.stringify(local),
			'{"a":"1","b":"2","c d":"3"}');
		local.clear();
		assert.equal(local.length, 0);
		assert.equal(real.getItem("mine"), "1");
		assert.equal(real.getItem(`tether:${BASE}2 x`), "2");
	});

	test("reading, in all ways", () => {
		const { local } = open();
		local.setItem("k", "v");
		assert.equal(local.k, "v");
		assert.equal(local["k"], "v");
		assert.equal(local.getItem("k"), "v");
		assert.equal(local.key(0), "k");
		assert.equal(local.key(1), null);
		assert.equal(local.key(-1), null);
		assert.equal(local.key("x"), "k");
		assert.ok("k" in local);
		assert.ok(Object.hasOwn(local, "k"));
		assert.ok(!("no" in local));
		assert.equal(local.no, undefined);
		assert.equal(local.getItem("no"), null);
		assert.deepEqual(Object.getOwnPropertyDescriptor(local, "k"),
			{ value: "v", writable: true, enumerable: true,
				configurable: true });
		assert.deepEqual(Object.entries(local), [["k", "v"]]);
		const names = [];
		for (const name in local)
			names.push(name);
		assert.deepEqual(names, ["k"]);
	});

	test("writing and deleting, in all ways", () => {
		const { local } = open();
		local.a = 7;
		assert.equal(local.a, "7");
		Object.defineProperty(local, "b", { value: {} });
		assert.equal(local.b, "[object Object]");
		assert.throws(() => Object.defineProperty(local, "c",
			{ get: () => 1 }), { name: "TypeError" });
		assert.equal(delete local.a, true);
		assert.equal(delete local.a, true);
		assert.equal(local.a, undefined);
		local.removeItem("b");
		assert.equal(local.length, 0);
		assert.throws(() => Object.preventExtensions(local),
			{ name: "TypeError" });
	});

	test("members of the prototype hide items", () => {
		const { local } = open();
		local.setItem("length", "5");
		local.setItem("getItem", "x");
		assert.equal(local.length, 2);
		assert.equal(local.getItem("length"), "5");
		assert.equal(local.getItem("getItem"), "x");
		assert.deepEqual(Object.keys(local), ["length", "getItem"]);
		assert.equal(delete local.length, true);
		assert.equal(local.getItem("length"), "5");
	});

	test("members of the prototype take what is assigned", () => {
		const { local } = open();
		local.key = "own";
		assert.equal(local.key, "own");
		assert.equal(local.length, 0);
		assert.deepEqual(Object.keys(local), ["key"]);
		assert.equal(local.getItem("key"), null);
		local.setItem("key", "item");
		assert.deepEqual(Object.keys(local), ["key"]);
		assert.equal(local.key, "own");
		const heir = Object.create(local);
		heir.clear = 1;
		assert.ok(Object.hasOwn(heir, "clear"));
		assert.equal(typeof local.clear, "function");
	});

	test("symbols are no items", () => {
		const { local } = open();
		const s = Symbol("s");
		local[s] = 1;
		assert.equal(local[s], 1);
		Object.defineProperty(local, s, { value: 2, writable: true,
			configurable: true });
		assert.equal(local[s], 2);
		assert.ok(delete local[s]);
		assert.equal(local.length, 0);
	});

	test("looks like a Storage", () => {
		const { local, page } = open();
		assert.ok(local instanceof page.window.Storage);
		assert.equal(Object.prototype.toString.call(local),
			"[object Storage]");
		assert.equal(page.window.localStorage, local);
		assert.notEqual(page.window.sessionStorage, local);
		assert.throws(() => local.getItem(), { name: "TypeError" });
		assert.throws(() => local.setItem("a"), { name: "TypeError" });
		assert.throws(() => local.key(), { name: "TypeError" });
		assert.equal(local.constructor, page.window.Storage);
	});

	test("areas that are not ours work as ever", () => {
		const { page } = open();
		const other = new page.window.Storage();
		other.setItem("a", "1");
		assert.equal(other.getItem("a"), "1");
		assert.equal(other.key(0), "a");
		assert.equal(other.length, 1);
		other.clear();
		assert.equal(other.length, 0);
		assert.throws(() => page.window.Storage.prototype.getItem
			.call({}, "a"), { name: "TypeError" });
	});

	test("sessionStorage has its own", () => {
		const { page, local } = open();
		page.window.sessionStorage.setItem("a", "s");
		assert.equal(local.getItem("a"), null);
		assert.equal(page.areas.sessionStorage.getItem(`${PREFIX}a`),
			"s");
	});
});

describe("storage events", () => {
	const send = (page, init) => {
		const seen = [];
		page.window.addEventListener("storage", (event) =>
			seen.push([event.key, event.storageArea &&
				event.storageArea === page.window.localStorage]));
		page.window.dispatchEvent(new page.window.StorageEvent(
			"storage", { isTrusted: true, ...init }));
		return seen;
	};

	test("of this instance, of others, of clear()", () => {
		const { page, area } = open();
		assert.deepEqual(send(page, { key: `${PREFIX}a`,
			storageArea: area }), [["a", true]]);
		assert.deepEqual(send(page, { key: "mine",
			storageArea: area }), []);
		assert.deepEqual(send(page, { key: `tether:${BASE}2 a`,
			storageArea: area }), []);
		assert.deepEqual(send(page, { key: null, storageArea: area }),
			[[null, true]]);
	});

	test("made by the app", () => {
		const { page, local } = open();
		assert.deepEqual(send(page, { key: "mine", isTrusted: false,
			storageArea: local }), [["mine", true]]);
		assert.deepEqual(send(page, { key: "mine",
			isTrusted: false }),
			[["mine", null]]);
		assert.throws(() => new page.window.StorageEvent("storage",
			{ storageArea: {} }), { name: "TypeError" });
		const event = new page.window.StorageEvent("storage");
		event.initStorageEvent("storage", false, false, "k", null,
			null, "", local);
		assert.equal(event.key, "k");
		assert.equal(event.storageArea, local);
	});
});

describe("the token of the app", () => {
	// What is there, what the page says, what is there afterwards.
	const rows = [
		[{}, {}, { token: "tether_one", user: "octocat" }],
		[{ token: "" }, {}, { token: "tether_one", user: "octocat" }],
		[{ token: "", user: "octocat" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ user: "octocat" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ token: "a.b.c", user: "octocat" }, {},
			{ token: "a.b.c", user: "octocat" }],
		[{ token: "a.b.c", user: "hubot" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ token: "a.b.c" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ token: "tether_old", user: "octocat" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ token: "tether_old", user: "x" }, { handle: "" },
			{ token: "tether_old", user: "x" }],
		[{}, { handle: "" }, {}],
		[{}, { login: "" }, { token: "tether_one" }],
		[{}, { handle: undefined, login: undefined }, {}],
		// A JWT that is over is not kept, and a page that goes to the
		// app by itself has one of its own.
		[{ token: jwt(1), user: "octocat" }, {},
			{ token: "tether_one", user: "octocat" }],
		[{ token: jwt(2 ** 33), user: "octocat" }, {},
			{ token: jwt(2 ** 33), user: "octocat" }],
		[{ token: jwt(2 ** 33), user: "octocat" },
			{ callback: "http://ui.test", token: "a.b.c" },
			{ token: "a.b.c", user: "octocat" }],
		[{}, { callback: "http://ui.test", token: "a.b.c", handle: "" },
			{ token: "a.b.c", user: "octocat" }],
		[{}, { callback: "http://ui.test" },
			{ token: "tether_one", user: "octocat" }],
		[{}, { callback: "nowhere", token: "a.b.c" },
			{ token: "tether_one", user: "octocat" }],
	];
	const names = { token: "auth-token", user: "orchestrator-user" };

	test("set when missing, another's or an old handle", () =>
		eachRow(rows, ([before, config, after]) => {
			const page = openPage({ run: false,
				config: { ...CONFIG, ...config } });
			const real = page.areas.localStorage;
			for (const [name, value] of Object.entries(before))
				real.setItem(PREFIX + names[name], value);
			page.run();
			for (const [name, key] of Object.entries(names))
				assert.equal(real.getItem(PREFIX + key),
					after[name] ?? null);
			assert.equal(real.getItem("auth-token"), null);
		}));

	test("storage that is full or blocked is no error", () => {
		const page = openPage({ run: false });
		page.window.Storage.prototype.setItem = () => {
			throw new DOMException("full", "QuotaExceededError");
		};
		page.run();
		assert.equal(page.window.__ROUTER_BASENAME__, BASE);
		const blocked = openPage({ run: false });
		Object.defineProperty(blocked.window, "localStorage", {
			get() {
				throw new DOMException("no", "SecurityError");
			}, configurable: true });
		blocked.run();
		assert.equal(blocked.window.__ROUTER_BASENAME__, BASE);
		assert.throws(() => blocked.window.localStorage,
			{ name: "SecurityError" });
	});
});
