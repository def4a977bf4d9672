// Storage.  Each row runs in the page.

export const STORAGE_ROWS = {
	"storage, its methods": (row) => {
		for (const area of [localStorage, sessionStorage]) {
			area.clear();
			row.log(area.length, Object.keys(area), area.key(0));
			for (const [name, value] of [["a", "1"], ["b", 2], [3,
				null],
				["", ""], ["é\0", "\ud800"], [undefined, {}]])
				row.attempt("set", () => area.setItem(name,
				value));
			row.log(area.length, area.getItem("a"),
				area.getItem("b"),
				area.getItem(3), area.getItem(""),
				area.getItem("é\0"),
				area.getItem(undefined), area.getItem("none"));
			const keys = [];
			for (let i = 0; i < area.length; i++)
				keys.push(area.key(i));
			row.log(keys.sort(), Object.keys(area).sort(),
				keys.every((key, i) =>
				keys.includes(area.key(i))));
			row.log(area.key(99), area.key(-1),
				area.key("x") === area.key(0),
				area.key(NaN) === area.key(0),
				area.key(2 ** 32) === area.key(0));
			row.attempt("remove", () => area.removeItem("a"));
			row.attempt("remove", () => area.removeItem("none"));
			row.log(area.length, area.getItem("a"));
			for (const method of ["getItem", "setItem",
				"removeItem", "key"]) {
				row.attempt(method, () => area[method]());
				row.attempt(method, () =>
					Storage.prototype[method].call({}, "a",
					"b"));
			}
			row.attempt("set", () => area.setItem("a"));
			row.attempt("symbol", () => area.getItem(Symbol("x")));
			row.attempt("clear", () => area.clear());
			row.log(area.length);
		}
	},
	"storage, as an object": (row) => {
		const area = localStorage;
		area.clear();
		area.one = 1;
		area["two words"] = { toString: () => "2" };
		area[3] = "three";
		row.log(area.one, area["two words"], area[3], area.none,
			area.length, "one" in area, "none" in area,
			"getItem" in area,
			3 in area, Object.hasOwn(area, "one"),
			Object.hasOwn(area, "length"),
			area.hasOwnProperty("one"));
		row.log(Object.keys(area).sort(), Object.entries(area).sort(),
			Object.getOwnPropertyNames(area).sort(),
			JSON.stringify(Object.entries({ ...area }).sort()),
			Object.getOwnPropertyDescriptor(area, "one"),
			Object.getOwnPropertyDescriptor(area, "none"),
			Object.getOwnPropertyDescriptor(area, "getItem"));
		const names = [];
		for (const name in area)
			names.push(name);
		row.log(names.sort());
		row.log(delete area.one, delete area.none, area.length,
			area.getItem("one"));
		row.attempt("getItem", () => {
			area.setItem("getItem", "hidden");
			return [typeof area.getItem,
				Storage.prototype.getItem.call(area,
				"getItem")];
		});
		row.log(Object.keys(area).includes("getItem"), area.length);
		row.attempt("assigned", () => {
			area.length = 5;
			return [area.length, area.getItem("length")];
		});
		row.attempt("assigned", () => {
			area.key = "k";
			return [typeof area.key,
				Storage.prototype.getItem.call(area, "key")];
		});
		row.attempt("deleted", () => [delete area.length,
			Storage.prototype.getItem.call(area, "length")]);
		row.log(area.toString === Object.prototype.toString,
			String(area), Object.prototype.toString.call(area),
			area instanceof Storage, area.constructor === Storage,
			Object.getPrototypeOf(area) === Storage.prototype,
			localStorage === area, Object.isExtensible(area));
		for (const call of [
			() => Object.defineProperty(area, "d",
			{ value: "v" }).d,
			() => Object.getOwnPropertyDescriptor(area, "d"),
			() => Object.defineProperty(area, "e", { get: () =>
			1 }),
			() => Object.preventExtensions(area),
			() => Object.freeze(area),
			() => Object.seal(area),
			() => Object.setPrototypeOf(area,
			Storage.prototype) === area,
			() => {
				area[Symbol.for("s")] = 7;
				return [area[Symbol.for("s")],
					Symbol.for("s") in area];
			},
			() => delete area[Symbol.for("s")],
			() => structuredClone(area),
			() => Reflect.ownKeys(area).map(String).sort(),
			() => Object.assign(area, { m: 1, n: 2 }).n,
			() => new Storage(),
			() => Storage(),
			() => area.setItem("big", "x".repeat(6 << 20)),
			() => {
				area.big = "x".repeat(6 << 20);
			},
			() => {
				"use strict";
				window.localStorage = 1;
			},
			() => Object.getOwnPropertyDescriptor(window,
			"localStorage").get
				.call({}),
		])
			row.attempt(String(call), call);
		area.clear();
		row.log(Object.keys(area), area.length);
	},
	"storage events": async (row) => {
		localStorage.clear();
		const frame = document.createElement("iframe");
		frame.src = "/";
		document.body.append(frame);
		await row.once(frame, "load");
		const other = frame.contentWindow;
		localStorage.clear();
		await row.wait(100);
		const note = (event) => row.log(event.key, event.oldValue,
			event.newValue, event.url,
			event.storageArea === localStorage ? "local" :
			event.storageArea === sessionStorage ? "session" : "?",
			event.constructor === StorageEvent, event.bubbles,
			event.cancelable);
		window.addEventListener("storage", note);
		window.onstorage = () => row.log("handler");
		row.atEnd(() => {
			window.removeEventListener("storage", note);
			window.onstorage = null;
			frame.remove();
		});
		const { localStorage: local, sessionStorage: session } = other;
		// Each has its event, or none, before the next one begins.
		const steps = [() => local.setItem("a", "1"),
			() => local.setItem("a", "1"), () => local.setItem("a",
			"2"),
			() => local.removeItem("a"), () =>
			local.removeItem("a"),
			() => {
				local.b = "x";
			}, () => delete local.b, () => session.setItem("s",
				"1"),
			() => session.removeItem("s"),
			() => local.setItem("é\0", ""), () =>
			localStorage.own = 1];
		for (const step of steps) {
			step();
			await row.wait(60);
		}
		row.log(localStorage.getItem("é\0"), local.getItem("own"));
		localStorage.clear();
	},
	"storage that is cleared elsewhere": async (row) => {
		localStorage.clear();
		const frame = document.createElement("iframe");
		frame.src = "/";
		document.body.append(frame);
		await row.once(frame, "load");
		const note = (event) => row.log(event.key, event.oldValue,
			event.newValue);
		const local = frame.contentWindow.localStorage;
		local.clear();
		local.setItem("a", "1");
		await row.wait(100);
		window.addEventListener("storage", note);
		row.atEnd(() => {
			window.removeEventListener("storage", note);
			frame.remove();
		});
		local.clear();
		await row.wait(100);
		row.log(localStorage.length);
	},
	"events about storage that the page makes": (row) => {
		const area = localStorage;
		const event = new StorageEvent("storage", { key: "k",
			oldValue: "o",
			newValue: "n", url: "/u", storageArea: area });
		row.log(event.key, event.oldValue, event.newValue, event.url,
			event.storageArea === area,
			event instanceof StorageEvent);
		row.attempt("area", () =>
			new StorageEvent("x", { storageArea: {} }));
		row.attempt("null", () =>
			new StorageEvent("x",
			{ storageArea: null }).storageArea);
		row.attempt("none", () => new StorageEvent());
		row.attempt("init", () => {
			const made = document.createEvent("StorageEvent");
			made.initStorageEvent("storage", false, false, "a", "b",
				"c", "/d", area);
			return [made.key, made.url, made.storageArea === area];
		});
		const heard = [];
		const listener = ({ key }) => heard.push(key);
		window.addEventListener("storage", listener);
		window.dispatchEvent(event);
		window.dispatchEvent(new StorageEvent("storage"));
		window.removeEventListener("storage", listener);
		row.log(heard);
	},
};
