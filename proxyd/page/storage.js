// localStorage and sessionStorage are shared by all pages of the origin.  The
// app gets a facade that shows the keys of this instance alone.

const { Storage, StorageEvent } = globalThis;

const { getItem, setItem, removeItem, key: keyAt } = Storage.prototype;
const lengthOf = getOwnPropertyDescriptor(Storage.prototype, "length").get;

const storageGet = (area, key) => apply(getItem, area, [namespace + key]);
const storageSet = (area, key, value) =>
	apply(setItem, area, [namespace + key, value]);
const storageRemove = (area, key) =>
	apply(removeItem, area, [namespace + key]);

// The order is the platform's, which is stable while nothing changes.
function storageKeys(area) {
	const length = apply(lengthOf, area, []);
	const keys = [];

	for (let i = 0; i < length; i++) {
		const key = apply(keyAt, area, [i]);
		if (key?.startsWith(namespace))
			keys.push(key.slice(namespace.length));
	}
	return keys;
}

// As browsers do it: members of the prototype hide items of the same name
// from reading and writing, but not from being listed.
function storageTraps(area) {
	const isListed = (target, name) => typeof name === "string" &&
		!Object.hasOwn(target, name) &&
		storageGet(area, name) !== null;
	const isItem = (target, name) => !(name in target) &&
		isListed(target, name);

	return {
		get: (target, name, receiver) => isItem(target, name) ?
			storageGet(area, name) :
			Reflect.get(target, name, receiver),
		has: (target, name) => name in target || isItem(target, name),
		set(target, name, value, receiver) {
			if (typeof name === "symbol" || name in target)
				return Reflect.set(target, name, value,
					receiver === facades.get(area) ?
						target : receiver);
			storageSet(area, name, value);
			return true;
		},
		deleteProperty(target, name) {
			if (!isItem(target, name))
				return Reflect.deleteProperty(target, name);
			storageRemove(area, name);
			return true;
		},
		defineProperty(target, name, found) {
			if (typeof name === "symbol")
				return Reflect.defineProperty(target, name,
					found);
			if ("get" in found || "set" in found)
				return false;
			storageSet(area, name, found.value);
			return true;
		},
		getOwnPropertyDescriptor: (target, name) =>
			isListed(target, name) ? {
				value: storageGet(area, name), writable: true,
				enumerable: true, configurable: true,
			} : getOwnPropertyDescriptor(target, name),
		ownKeys: (target) => [
			...storageKeys(area).filter((key) =>
				!Object.hasOwn(target, key)),
			...Reflect.ownKeys(target),
		],
		preventExtensions: () => false,
	};
}

// The two ways between a facade and what is behind it.
const facades = new WeakMap();
const areas = new WeakMap();

function facadeOf(area) {
	let facade = facades.get(area);

	if (facade === undefined) {
		facade = new Proxy(Object.create(Storage.prototype),
			storageTraps(area));
		facades.set(area, facade);
		areas.set(facade, area);
	}
	return facade;
}

// The number of arguments is for the native method to complain about.
function patchStorage(name, needed, body) {
	patchMethod(Storage.prototype, name, (self, args, native) => {
		const area = areas.get(self);
		if (area === undefined)
			return native(...args);
		if (args.length < needed)
			return apply(originals.get(Storage.prototype[name]),
				area, args);
		return body(area, ...args);
	});
}

patchStorage("getItem", 1, storageGet);
patchStorage("setItem", 2, storageSet);
patchStorage("removeItem", 1, storageRemove);
patchStorage("key", 1, (area, index) => storageKeys(area)[index >>> 0] ?? null);
patchStorage("clear", 0, (area) => {
	for (const key of storageKeys(area))
		storageRemove(area, key);
});
patchAccessor(Storage.prototype, "length", {
	get: (self, native) => areas.has(self) ?
		storageKeys(areas.get(self)).length : native(),
});

for (const name of ["localStorage", "sessionStorage"])
	patchAccessor(globalOwner(name), name,
		{ get: (self, native) => facadeOf(native()) });

// What other pages do arrives as events: with our names, or not at all.
const eventKey = getOwnPropertyDescriptor(StorageEvent.prototype, "key").get;

globalThis.addEventListener("storage", (event) => {
	const key = apply(eventKey, event, []);
	if (event.isTrusted && key !== null && !key.startsWith(namespace))
		event.stopImmediatePropagation();
}, true);

patchAccessor(StorageEvent.prototype, "key", {
	get(self, native) {
		const key = native();
		return key?.startsWith(namespace) ?
			key.slice(namespace.length) : key;
	},
});
patchAccessor(StorageEvent.prototype, "storageArea", {
	get(self, native) {
		const area = native();
		return area && facadeOf(area);
	},
});

// Events that the app makes itself name the facade.
patchMethod(StorageEvent.prototype, "initStorageEvent",
	(self, args, native) => {
		args[7] = areas.get(args[7]) ?? args[7];
		return native(...args);
	});
patchConstructor("StorageEvent", (args, newTarget, native) => {
	const area = areas.get(args[1]?.storageArea);
	if (area !== undefined)
		args[1] = { ...args[1], storageArea: area };
	return native(...args);
});

// The handle in place of the token that the app would get at its login; or the
// token itself.
function storeHandle() {
	const area = areas.get(globalThis.localStorage);
	const token = storageGet(area, "auth-token");
	const user = storageGet(area, "orchestrator-user");
	const login = String(config.login ?? "");

	if (callback !== null)
		storageSet(area, "auth-token", config.token);
	else if (!token || user !== login || token.startsWith("tether_") ||
		isExpired(token))
		storageSet(area, "auth-token", handle);
	if (login !== "" && user !== login)
		storageSet(area, "orchestrator-user", login);
}

if (handle !== "" || callback !== null)
	try {
		storeHandle();
	} catch {
		// Storage is full, or blocked: the app shows its login form.
	}
