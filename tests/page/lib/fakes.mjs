// Native APIs that write down how they were called: log(name, ...details).
// The script patches prototypes, so each page has classes of its own.

class CloseEvent extends Event {
	constructor(type, { code = 0, reason = "", wasClean = false } = {}) {
		super(type);
		Object.assign(this, { code, reason, wasClean });
	}
}

function makeStorage() {
	class Storage {
		#items = new Map();

		get length() {
			return this.#items.size;
		}

		key(index) {
			if (arguments.length < 1)
				throw new TypeError("1 argument required");
			return [...this.#items.keys()][index] ?? null;
		}

		getItem(key) {
			if (arguments.length < 1)
				throw new TypeError("1 argument required");
			return this.#items.get(`${key}`) ?? null;
		}

		setItem(key, value) {
			if (arguments.length < 2)
				throw new TypeError("2 arguments required");
			this.#items.set(`${key}`, `${value}`);
		}

		removeItem(key) {
			if (arguments.length < 1)
				throw new TypeError("1 argument required");
			this.#items.delete(`${key}`);
		}

		clear() {
			this.#items.clear();
		}

		get [Symbol.toStringTag]() {
			return "Storage";
		}

		static isOne(value) {
			return #items in value;
		}
	}
	const { isOne } = Storage;
	delete Storage.isOne;

	class StorageEvent extends Event {
		#init;

		constructor(type, init = {}) {
			super(type);
			if (init.storageArea && !isOne(init.storageArea))
				throw new TypeError("no Storage");
			this.#init = init;
		}

		initStorageEvent(type, bubbles, cancelable, key, oldValue,
			newValue, url, storageArea) {
			if (storageArea && !isOne(storageArea))
				throw new TypeError("no Storage");
			this.#init = { key, storageArea };
		}

		get isTrusted() {
			return Boolean(this.#init.isTrusted);
		}

		get key() {
			return this.#init.key ?? null;
		}

		get storageArea() {
			return this.#init.storageArea ?? null;
		}
	}
	return { Storage, StorageEvent };
}

// As the native ones, they resolve against the document.
function makeFetch(log, baseURI, respond) {
	const NodeRequest = Request;

	return {
		Request: class Request extends NodeRequest {
			constructor(input, options) {
				if (arguments.length === 0)
					throw new TypeError("no argument");
				super(input instanceof NodeRequest ? input :
					new URL(input, baseURI()), options);
			}

			get url() {
				return super.url;
			}
		},
		fetch: async function fetch(input) {
			if (arguments.length === 0)
				throw new TypeError("1 argument required");
			log("fetch", ...arguments);
			return respond(input);
		},
	};
}

function makeWorkers(log, registrations) {
	class ServiceWorkerContainer {
		async register(...args) {
			log("register", ...args);
			return {};
		}

		async getRegistration(...args) {
			log("getRegistration", ...args);
			return registrations[0];
		}

		async getRegistrations() {
			return registrations;
		}
	}
	class ServiceWorkerRegistration {
		async showNotification(...args) {
			log("showNotification", ...args);
		}
	}
	return { ServiceWorkerContainer, ServiceWorkerRegistration };
}

function makeCaches(log) {
	const stores = new Map();

	class Cache {
		items = new Map();

		async put(request, response) {
			log("put", request);
			this.items.set(request.url ?? request, response);
		}

		async match(request) {
			log("match", request);
			return this.items.get(request.url ?? request);
		}

		async add(request) {
			log("add", request);
		}

		async addAll(requests) {
			log("addAll", ...requests);
		}

		async delete(request) {
			log("delete", request);
		}

		async keys(...args) {
			log("keys", ...args);
			return [];
		}

		async matchAll(...args) {
			log("matchAll", ...args);
			return [];
		}
	}
	class CacheStorage {
		async open(name) {
			if (!stores.has(name))
				stores.set(name, new Cache());
			return stores.get(name);
		}

		async has(name) {
			return stores.has(name);
		}

		async delete(name) {
			return stores.delete(name);
		}

		async keys() {
			return [...stores.keys()];
		}

		async match(request, options = {}) {
			for (const [name, { items }] of stores)
				if (name === (options.cacheName ?? name) &&
					items.has(request.url ?? request))
					return items.get(request.url ?? request);
			return undefined;
		}
	}
	return { Cache, CacheStorage, caches: new CacheStorage(), stores };
}

// A constructor or method that notes its arguments.
const noting = (log, name) => ({ [name]: class {
	constructor(...args) {
		log(name, ...args);
	}
} })[name];

function makeSocket(log, opened) {
	class WebSocket extends EventTarget {
		#url;
		#state = 0;
		#binaryType = "blob";
		sentToServer = [];

		constructor(url) {
			super();
			if (arguments.length === 0)
				throw new TypeError("1 argument required");
			try {
				this.#url = new URL(url).href;
			} catch {
				throw new DOMException("bad", "SyntaxError");
			}
			log("WebSocket", ...arguments);
			opened(this);
		}

		get url() {
			return this.#url;
		}

		get readyState() {
			return this.#state;
		}

		get protocol() {
			return "native";
		}

		get extensions() {
			return "native";
		}

		get bufferedAmount() {
			return 7;
		}

		get binaryType() {
			return this.#binaryType;
		}

		set binaryType(value) {
			this.#binaryType = value;
		}

		send(message) {
			if (this.#state !== 1)
				throw new DOMException("state",
					"InvalidStateError");
			this.sentToServer.push(message);
		}

		close() {
			if (this.#state < 2)
				this.accept(3);
		}

		// For the tests: what the network does.
		accept(state = 1) {
			this.#state = state;
			this.dispatchEvent(state === 1 ? new Event("open") :
				new CloseEvent("close", { code: 1006 }));
		}
	}
	for (const type of ["open", "message", "error", "close"])
		Object.defineProperty(WebSocket.prototype, `on${type}`, {
			get() {
				return this.url && null;
			},
			set(value) {
				log(`on${type}`, value);
			},
			enumerable: true, configurable: true,
		});
	const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
	for (const [name, value] of Object.entries(states))
		for (const owner of [WebSocket, WebSocket.prototype])
			Object.defineProperty(owner, name,
				{ value, enumerable: true });
	return WebSocket;
}

function makeEventSource(log) {
	class EventSource extends EventTarget {
		#url;

		constructor(url, options) {
			super();
			if (arguments.length === 0)
				throw new TypeError("1 argument required");
			if (options != null && Object(options) !== options)
				throw new TypeError("no dictionary");
			log("EventSource", ...arguments);
			this.#url = `${url}`;
		}

		get url() {
			return this.#url;
		}

		get readyState() {
			return this.#url && 1;
		}

		get withCredentials() {
			return this.#url && false;
		}

		close() {
			log("EventSource.close", this.#url);
		}
	}
	for (const type of ["open", "message", "error"])
		Object.defineProperty(EventSource.prototype, `on${type}`, {
			get() {
				return this.url && null;
			},
			set() {
			},
			enumerable: true, configurable: true,
		});
	Object.defineProperty(EventSource, "CLOSED", { value: 2 });
	return EventSource;
}

function makeRequests(log) {
	class XMLHttpRequest extends EventTarget {
		readyState = 0;
		status = 0;
		responseURL = "";
		responseType = "";
		response = "";
		fields = {};

		open(method, url) {
			this.readyState = 1;
			log("open", ...arguments);
		}

		setRequestHeader(name, value) {
			if (this.readyState !== 1)
				throw new DOMException("state",
					"InvalidStateError");
			log("header", name, value);
		}

		send(...args) {
			log("send", ...args);
		}

		getResponseHeader(name) {
			log("getResponseHeader", name);
			return this.fields[name] ?? null;
		}

		// For the tests: what the network does.
		answer(status, fields, response, responseURL) {
			Object.assign(this, { status, fields, response,
				responseURL });
			this.dispatchEvent(new Event("load"));
		}
	}
	class Navigator {
		sendBeacon(...args) {
			log("beacon", ...args);
			return true;
		}
	}
	class History {
		pushState(...args) {
			log("pushState", ...args);
		}

		replaceState(...args) {
			log("replaceState", ...args);
		}
	}
	return { XMLHttpRequest, Navigator, History };
}

export { CloseEvent, makeCaches, makeEventSource, makeFetch, makeRequests,
	makeSocket, makeStorage, makeWorkers, noting };
