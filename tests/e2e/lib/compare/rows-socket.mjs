// WebSockets: the object, its handlers and events.  Each row runs in the page.

export const SOCKET_ROWS = {
	"constants and names": (row) => {
		for (const name of ["CONNECTING", "OPEN", "CLOSING",
			"CLOSED"]) {
			row.log(name, WebSocket[name],
				WebSocket.prototype[name]);
			row.log(Object.getOwnPropertyDescriptor(WebSocket,
				name));
			row.attempt("assign", () => {
				"use strict";
				WebSocket[name] = 7;
			});
		}
		row.log(WebSocket.name, WebSocket.length, String(WebSocket));
		row.log(Object.keys(WebSocket),
			Object.getOwnPropertyNames(WebSocket),
			Object.keys(WebSocket.prototype),
			Object.getOwnPropertyNames(WebSocket.prototype));
		row.log(WebSocket.prototype.constructor === WebSocket,
			Object.getPrototypeOf(WebSocket) === EventTarget,
			Object.prototype.toString.call(WebSocket),
			Object.prototype.toString.call(WebSocket.prototype),
			typeof WebSocket, Object.isExtensible(WebSocket));
		const found = Object.getOwnPropertyDescriptor(window,
			"WebSocket");
		row.log(found, found.value === WebSocket);
	},
	"members, as they are described": (row) => {
		const found =
			Object.getOwnPropertyDescriptors(WebSocket.prototype);
		for (const [name, one] of Object.entries(found))
			for (const [key, value] of Object.entries(one))
				row.log(name, key, value, ...typeof value ===
					"function" ? [value.name, value.length,
						String(value),
						Object.keys(value),
						Object.getOwnPropertyNames(value)] : []);
	},
	"an instance": async (row) => {
		const socket = row.socket("/ws/echo");
		row.log(socket instanceof WebSocket,
			socket instanceof EventTarget, String(socket),
			Object.keys(socket), Object.getOwnPropertyNames(socket),
			socket.constructor === WebSocket,
			Object.getPrototypeOf(socket) === WebSocket.prototype);
		const names = [];
		for (const name in socket)
			names.push(name);
		row.log(...names);
		for (const name of names)
			row.log(name, socket[name]);
		row.log(JSON.stringify(socket), socket.CLOSED);
		for (const name of ["url", "readyState", "bufferedAmount",
			"protocol", "extensions"])
			row.attempt(name, () => {
				"use strict";
				socket[name] = "x";
			});
		socket.own = 1;
		row.log(Object.keys(socket), socket.own);
		await row.once(socket, "open");
		socket.close();
		await row.once(socket, "close");
	},
	"called as they should not be": (row) => {
		row.attempt("function", () => WebSocket("/ws/echo"));
		row.attempt("no URL", () => new WebSocket());
		row.attempt("prototype", () => WebSocket.prototype.readyState);
		row.attempt("send", () => WebSocket.prototype.send("x"));
		row.attempt("close", () =>
			WebSocket.prototype.close.call({}));
		row.attempt("handler", () => {
			WebSocket.prototype.onopen = () => {};
		});
	},
	"URLs": (row) => {
		const { host } = location;
		for (const url of ["/ws/echo#", "/ws/echo#x", "ftp://a/",
			"http://[",
			"wss:", "", "x y", "ws://", `ws://${host}/a#b`,
			"ws://127.0.0.1:99999/", "mailto:x", "about:blank",
			"javascript:1", "blob:x", "//", "ws:///", "ws://%/",
			"ws://user:word@127.0.0.1:1/", Symbol.iterator])
			row.attempt(String(url), () => {
				const socket = new WebSocket(url);
				socket.close();
				return socket.url;
			});
		const forms = ["/ws/echo", "ws/echo", "./ws/../ws/echo?a=b c",
			`ws://${host}/ws/echo`, `http://${host}/ws/echo`,
			`HTTP://${host}/ws/é?é`, `//${host}/ws/echo`, "?x",
			"\\ws\\echo",
			" /ws/echo\n", new URL("/ws/echo", location.href),
			{ toString: () => "/ws/echo" }];
		for (const url of forms)
			row.attempt(String(url), () => {
				const socket = new WebSocket(url);
				socket.close();
				return socket.url;
			});
		row.attempt("thrown", () => new WebSocket({ toString() {
			throw new RangeError("mine");
		} }));
	},
	"subprotocols that may not be": (row) => {
		for (const list of [[""], "", "a b", "a,b", ["a", "a"], ["a",
			"A"],
			"é", "a\0", ["a", ""], "(x)", null, 5, undefined, [],
			{},
			[undefined], "a".repeat(200), [["x"]], true,
			new Set(["a", "b"]), new String("a")])
			row.attempt(JSON.stringify(list) ?? "undefined", () => {
				const socket = new WebSocket("/ws/protocol",
					list);
				socket.close();
				return socket.protocol;
			});
		row.attempt("symbol", () =>
			new WebSocket("/ws/protocol", Symbol("x")));
		row.attempt("throwing", () => new WebSocket("/ws/protocol",
			{ get [Symbol.iterator]() {
				throw new RangeError("mine");
			} }));
	},
	"a subprotocol is chosen": async (row) => {
		const socket = row.socket("/ws/protocol?protocol=b", ["a", "b",
			"c"]);
		row.log(socket.protocol);
		await row.messages(socket);
		row.log(socket.protocol, socket.extensions);
		socket.close();
		await row.once(socket, "close");
		row.log(socket.protocol);
	},
	"one subprotocol, as a string": async (row) => {
		const socket = row.socket("/ws/protocol?protocol=graphql-ws",
			"graphql-ws");
		await row.messages(socket);
		row.log(socket.protocol);
	},
	"no subprotocol is chosen": async (row) => {
		const socket = row.socket("/ws/protocol", ["a", "b"]);
		await row.once(socket, "close");
		row.log(socket.protocol);
	},
	"a subprotocol that was not offered": async (row) => {
		const socket = row.socket("/ws/protocol?protocol=z", ["a",
			"b"]);
		await row.once(socket, "close");
	},
	"a subprotocol where none was offered": async (row) => {
		const socket = row.socket("/ws/protocol?protocol=z");
		await Promise.race([row.once(socket, "close"),
			row.messages(socket)]);
	},
	"binaryType": async (row) => {
		const socket = row.socket("/ws/echo");
		for (const type of ["arraybuffer", "x", "", undefined, "Blob",
			"blob", null, { toString: () => "arraybuffer" }])
			row.attempt(`${type}`, () => {
				"use strict";
				socket.binaryType = type;
				return socket.binaryType;
			});
		await row.once(socket, "open");
		for (const type of ["blob", "arraybuffer", "blob"]) {
			socket.binaryType = type;
			socket.send(new Uint8Array([1]));
			await row.messages(socket);
		}
		socket.close();
		await row.once(socket, "close");
		socket.binaryType = "arraybuffer";
		row.log(socket.binaryType);
	},
	"open is heard before messages, later": async (row) => {
		const socket = new WebSocket("/ws/greet");
		socket.onopen = () => {
			row.log("open", socket.readyState);
			Promise.resolve().then(() => row.log("microtask"));
			socket.onmessage = ({ data }) => row.log("message",
				data);
		};
		await row.messages(socket, 2);
		socket.close();
		await row.once(socket, "close");
	},
	"handlers": async (row) => {
		const socket = new WebSocket("/ws/echo");
		const note = (what) => (event) =>
			row.log(what, event?.type);
		for (const value of [5, "x", null, undefined, {}, () => {}]) {
			socket.onmessage = value;
			row.log(typeof socket.onmessage,
				socket.onmessage === value);
		}
		socket.onmessage = note("handler");
		socket.addEventListener("message", note("listener"));
		socket.addEventListener("message", note("once"),
			{ once: true });
		const removed = note("removed");
		socket.addEventListener("message", removed);
		socket.removeEventListener("message", removed);
		socket.addEventListener("message",
			{ handleEvent: note("object") });
		socket.addEventListener("message", null);
		socket.onopen = function (event) {
			row.log(this === socket, event.target === socket,
				event.currentTarget === socket,
				event.srcElement === socket,
				event.eventPhase, event.bubbles,
				event.cancelable,
				event.composed, event.composedPath().length,
				event.defaultPrevented, Object.keys(event));
		};
		await row.once(socket, "open");
		socket.send("1");
		await row.messages(socket);
		socket.onmessage = note("replaced");
		socket.send("2");
		await row.messages(socket);
		socket.onmessage = null;
		socket.send("3");
		await row.messages(socket);
		socket.onmessage = note("last");
		socket.addEventListener("message", (event) =>
			event.stopImmediatePropagation());
		socket.addEventListener("message", note("never"));
		const late = new Promise((resolve) => {
			socket.onclose = resolve;
		});
		socket.send("4");
		await row.wait(200);
		socket.close();
		row.note(socket, await late);
	},
	"handlers that fail": async (row) => {
		const errors = (event) => {
			row.log("window", event.error.message);
			event.preventDefault();
		};
		window.addEventListener("error", errors);
		row.atEnd(() => window.removeEventListener("error", errors));
		const socket = row.socket("/ws/greet");
		for (const type of ["open", "message", "close"]) {
			socket[`on${type}`] = () => {
				throw new Error(`on${type}`);
			};
			socket.addEventListener(type, () => {
				throw new Error(`${type} listener`);
			});
			row.watch(socket, [type]);
		}
		await row.messages(socket, 2);
		socket.close();
		await row.once(socket, "close");
		await row.wait(20);
	},
	"events": async (row) => {
		const socket = new WebSocket("/ws/greet");
		const fields = (event) => {
			const values = [];
			for (const name in event)
				if (!/^(?:isTrusted|timeStamp|data)$/.test(name) &&
					typeof event[name] !== "function" &&
					(typeof event[name] !== "object" ||
						event[name] === null))
					values.push([name, event[name]]);
			row.log(event.constructor === window[event.constructor.name],
				...values);
			if (event instanceof MessageEvent)
				row.log(event.ports,
				Object.isFrozen(event.ports),
					event.source);
		};
		for (const type of ["open", "message", "close"])
			socket.addEventListener(type, fields);
		await row.messages(socket, 2);
		socket.close();
		await row.once(socket, "close");
	},
	"a class of one's own": async (row) => {
		class Mine extends WebSocket {
			constructor(...args) {
				super(...args);
				this.mine = 1;
			}

			send(data) {
				super.send(`mine: ${data}`);
			}

			get readyState() {
				return super.readyState + 10;
			}
		}
		const socket = row.watch(new Mine("/ws/echo"));
		row.log(socket instanceof Mine, socket instanceof WebSocket,
			Object.keys(socket), Mine.OPEN,
			socket.constructor.name);
		await row.once(socket, "open");
		socket.send("x");
		await row.messages(socket);
		socket.close();
		await row.once(socket, "close");
		function Old() {}
		Old.prototype = Object.create(WebSocket.prototype);
		const other = Reflect.construct(WebSocket, ["/ws/echo"], Old);
		row.log(other instanceof Old, other.readyState);
		other.close();
	},
	"events made by the page": async (row) => {
		const socket = row.socket("/ws/echo");
		socket.onmessage = (event) => row.log("handler", event.data);
		row.attempt("dispatch", () => socket.dispatchEvent(
			new MessageEvent("message", { data: "own" })));
		row.attempt("again", () => socket.dispatchEvent(
			new Event("other", { cancelable: true })));
		await row.once(socket, "open");
		socket.onmessage = () => false;
		const event = new MessageEvent("message",
			{ data: "x", cancelable: true });
		row.log(socket.dispatchEvent(event), event.defaultPrevented);
		// The page's own error does not end it.
		socket.onerror = () => row.log("own error");
		socket.dispatchEvent(new Event("error"));
		socket.send("still");
		await row.messages(socket);
	},
	"many at once": async (row) => {
		const logs = await Promise.all(Array.from({ length: 12 },
			async (_, i) => {
				const socket = new WebSocket(`/ws/echo?${i}`);
				await row.once(socket, "open");
				socket.send(`n${i}`);
				const { data } = await row.once(socket,
					"message");
				socket.close();
				const { code } = await row.once(socket,
					"close");
				return [i, data, code];
			}));
		row.log(...logs);
	},
	"an event loop turn between what comes": async (row) => {
		// Nothing is told within the constructor or within send.
		const socket = row.socket("/ws/echo");
		row.log("constructed");
		await Promise.resolve();
		row.log("microtask");
		await row.once(socket, "open");
		socket.send("x");
		row.log("sent");
		await row.messages(socket);
		socket.close();
		row.log("closed", socket.readyState);
		await Promise.resolve();
		row.log("microtask", socket.readyState);
		await row.once(socket, "close");
	},
	"the query of the app": async (row) => {
		const socket = row.socket("/ws/target?a=1&b=%C3%A9&c=x+y&d");
		await row.messages(socket);
	},
	"another host": async (row) => {
		const socket = row.socket("ws://127.0.0.1:1/ws");
		row.log(socket.url);
		await row.once(socket, "close");
	},
};
