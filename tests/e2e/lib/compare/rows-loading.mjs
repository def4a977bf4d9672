// What loads and navigates.  Each row runs in the page.

export const LOADING_ROWS = {
	"functions, as they are described": (row) => {
		const describe = (owner, name) => {
			const found = Object.getOwnPropertyDescriptor(owner,
				name);
			const value = found?.value ?? found?.set ?? found?.get;
			row.log(name, found === undefined ? null :
				Object.keys(found),
				value?.name, value?.length, String(value),
				Function.prototype.toString.call(value),
				Object.getOwnPropertyNames(value ?? {}),
				"prototype" in (value ?? {}),
				found?.writable, found?.enumerable,
				found?.configurable);
		};
		for (const name of ["fetch", "open", "Request",
			"XMLHttpRequest",
			"EventSource", "Worker", "SharedWorker", "Audio",
			"localStorage", "sessionStorage", "StorageEvent"])
			describe(window, name);
		for (const [owner, name] of [[History, "pushState"],
			[History, "replaceState"], [XMLHttpRequest, "open"],
			[XMLHttpRequest, "setRequestHeader"],
			[Navigator, "sendBeacon"], [Element, "setAttribute"],
			[Element, "setAttributeNS"], [HTMLImageElement, "src"],
			[HTMLAnchorElement, "href"], [HTMLLinkElement, "href"],
			[Storage, "getItem"], [Storage, "setItem"],
			[Storage, "removeItem"], [Storage, "clear"],
			[Storage, "key"], [Storage, "length"],
			[StorageEvent, "key"], [StorageEvent, "storageArea"],
			[Function, "toString"], [CacheStorage, "open"],
			[Cache, "match"], [ServiceWorkerContainer, "register"]])
			describe(owner.prototype, name);
	},
	"fetch": async (row) => {
		for (const input of ["/text", "text", "./text?a=b#c",
			new URL("/text", location.href), new Request("/text"),
			`${location.origin}/text`, "/missing", "/empty",
			"/bytes",
			"/redirect", "", "/mirror?x=%20", "/%C3%A9", "/a%2fb",
			{ toString: () => "/text" }]) {
			const answer = await fetch(input);
			row.log(answer.status, answer.statusText, answer.ok,
				answer.type, answer.url, answer.redirected,
				answer.headers.get("content-type"),
				answer.headers.get("x-own"),
				answer.constructor ===
					Response, answer.body === null);
			if (!/html/.test(answer.headers.get("content-type")))
				row.log(await answer.arrayBuffer());
		}
	},
	"fetch, what is sent": async (row) => {
		const form = new FormData();
		form.append("a", "é");
		for (const options of [undefined, {}, { method: "post" },
			{ method: "POST", body: "text\u{1f600}" },
			{ method: "PUT", body: new Uint8Array([0, 255, 1]) },
			{ method: "PATCH", body: new URLSearchParams("a=b") },
			{ method: "POST",
				body: new Blob(["b"], { type: "x/y" }) },
			{ method: "POST", body: form }, { method: "DELETE" },
			{ headers: { "X-Own": "a", Accept: "b/c" } },
			{ headers: new Headers([["X-Own", "a"],
				["x-own", "b"]]) }]) {
			const answer = await fetch("/mirror", options);
			row.log(await answer.json());
		}
		const request = new Request("/mirror",
			{ method: "POST", body: "one",
			headers: { "X-Own": "r" } });
		row.log(await (await fetch(request)).json(), request.bodyUsed);
		const other = new Request("/mirror",
			{ method: "POST", body: "two",
			headers: { "X-Own": "r" } });
		row.log(await (await fetch(other, { headers: { "X-Own": "i" },
			body: "three" })).json(), other.bodyUsed);
		await row.attemptLater("used", () => fetch(request));
	},
	"fetch, a header field that is no ASCII": async (row) => {
		const answer = await fetch("/mirror",
			{ headers: [["x-own", "é"]] });
		row.log((await answer.json()).headers["x-own"]);
	},
	"fetch, what fails": async (row) => {
		row.log(fetch("http://[").catch(() => {}) instanceof Promise);
		await row.attemptLater("nothing", () => fetch());
		await row.attemptLater("bad URL", () => fetch("http://["));
		await row.attemptLater("user", () =>
			fetch("http://a:b@127.0.0.1/"));
		await row.attemptLater("away", () =>
			fetch("http://127.0.0.1:1/"));
		await row.attemptLater("scheme", () => fetch("foo:bar"));
		await row.attemptLater("body of GET", () =>
			fetch("/text", { body: "x" }));
		await row.attemptLater("method", () =>
			fetch("/text", { method: "TRACE" }));
		await row.attemptLater("method", () =>
			fetch("/text", { method: "a b" }));
		await row.attemptLater("header", () =>
			fetch("/text", { headers: { "a b": "c" } }));
		await row.attemptLater("redirect", () =>
			fetch("/redirect", { redirect: "error" }));
		await row.attemptLater("options", () => fetch("/text", 5));
		await row.attemptLater("symbol", () => fetch(Symbol("x")));
		await row.attemptLater("this", () => fetch.call({}, "/text"));
		const manual = await fetch("/redirect", { redirect: "manual" });
		row.log(manual.type, manual.status, manual.url);
		await row.attemptLater("aborted", () =>
			fetch("/text", { signal: AbortSignal.abort() }));
		await row.attemptLater("reason", () =>
			fetch("/text", { signal: AbortSignal.abort("mine") }));
		const abort = new AbortController();
		setTimeout(() => abort.abort(), 30);
		await row.attemptLater("meanwhile", () =>
			fetch("/never", { signal: abort.signal }));
		await row.attemptLater("timeout", () =>
			fetch("/never", { signal: AbortSignal.timeout(30) }));
		const data = await fetch("data:text/plain,x");
		row.log(data.url, await data.text());
		const blob = URL.createObjectURL(new Blob(["y"]));
		row.log(await (await fetch(blob)).text());
	},
	"Request": (row) => {
		for (const input of ["/x", "x?y#z", "", "http://other.test/x",
			"//o/x",
			new URL("/x", location.href), "?q", "../..", "/a/../b"])
			row.attempt(String(input), () =>
			new Request(input).url);
		for (const args of [[], ["http://["], ["/x",
			{ method: "TRACE" }],
			["/x", { body: "b" }], ["/x", { mode: "navigate" }],
			["http://u:p@h/"], [Symbol("x")], ["/x", 5], ["/x",
			null],
			[null], [undefined]])
			row.attempt("arguments", () =>
			new Request(...args).url);
		const one = new Request("/x", { method: "POST", body: "b",
			headers: { "X-Own": "1" }, credentials: "omit",
			cache: "no-store", redirect: "manual", keepalive: true,
			referrer: "/from", integrity: "sha256-x",
			mode: "same-origin" });
		const fields = (request) => {
			for (const name in request)
				if (!["function", "object"].includes(
					typeof request[name]))
					row.log(name, request[name]);
			row.log([...request.headers]);
		};
		fields(one);
		fields(one.clone());
		const two = new Request(one, { method: "PUT" });
		fields(two);
		row.log(one.bodyUsed, two instanceof Request,
			two.constructor === Request, String(two));
		class Mine extends Request {
			mine() {
				return this.url;
			}
		}
		row.log(new Mine("/y").mine(), new Mine("/y") instanceof Mine);
		row.attempt("function", () => Request("/x"));
	},
	"XMLHttpRequest": async (row) => {
		const run = (method, url, prepare, body) => {
			const request = new XMLHttpRequest();
			const note = (event) => row.log(event.type,
				request.readyState,
				request.status, event.loaded);
			for (const type of ["loadstart", "load", "error",
				"abort", "timeout", "loadend"])
				request.addEventListener(type, note);
			request.upload.onloadend = (event) =>
				row.log("upload", event.loaded, event.total);
			request.open(method, url);
			prepare?.(request);
			const done = row.once(request, "loadend");
			request.send(body);
			return done.then(() => request);
		};
		for (const url of ["/text", "text", "/missing", "/redirect",
			"/empty",
			new URL("/text#x", location.href)]) {
			const request = await run("GET", url);
			row.log(request.responseURL, request.statusText,
				request.responseText, request.responseType,
				request.getResponseHeader("content-type"),
				request.getResponseHeader("x-own"));
		}
		for (const type of ["arraybuffer", "blob", "json", "text"]) {
			const request = await run("GET",
				type === "json" ? "/mirror" : "/bytes", (r) => {
					r.responseType = type;
				});
			row.log(type, request.response);
		}
		const posted = await run("POST", "/mirror", (request) => {
			request.setRequestHeader("X-Own", "a");
			request.setRequestHeader("x-own", "b");
			request.setRequestHeader("Content-Type", "x/y");
		}, "body");
		row.log(JSON.parse(posted.responseText));
		await run("GET", "http://127.0.0.1:1/");
		const slow = await run("GET", "/never", (request) => {
			request.timeout = 50;
		});
		row.log(slow.status, slow.responseURL);
		await run("GET", "/never", (request) =>
			setTimeout(() => request.abort(), 50));
	},
	"XMLHttpRequest, what fails": (row) => {
		const make = () => new XMLHttpRequest();
		row.attempt("open", () => make().open());
		row.attempt("open", () => make().open("GET"));
		row.attempt("URL", () => make().open("GET", "http://["));
		row.attempt("method", () => make().open("a b", "/x"));
		row.attempt("method", () => make().open("TRACE", "/x"));
		row.attempt("send", () => make().send());
		row.attempt("header", () => make().setRequestHeader("a", "b"));
		row.attempt("header", () =>
			make().setRequestHeader("authorization",
			"Bearer tether_x"));
		row.attempt("header", () => {
			const request = make();
			request.open("GET", "/x");
			row.attempt("few", () => request.setRequestHeader("a"));
			request.setRequestHeader("a b", "c");
		});
		row.attempt("this", () =>
			XMLHttpRequest.prototype.open.call({}, "GET", "/x"));
		row.attempt("returns", () => make().open("GET", "/x"));
		row.attempt("synchronous", () => {
			const request = make();
			request.open("GET", "/text", false);
			request.send();
			return [request.status, request.responseText,
				request.responseURL];
		});
	},
	"history": async (row) => {
		const { pathname } = location;
		const here = () => row.log(location.href, document.URL,
			document.baseURI, history.state);
		for (const url of ["/a/b?x#y", "c", "?q", "#h", "/", "",
			new URL("/d", location.href), `${location.origin}/e`,
			undefined,
			null, "/a//b", "/%C3%A9 é"])
			for (const method of ["pushState", "replaceState"]) {
				row.attempt(`${method} ${url}`, () =>
					history[method]({ n: 1 }, "", url));
				here();
			}
		row.attempt("other", () => history.pushState(1, "",
			"http://o/"));
		row.attempt("bad", () => history.pushState(1, "", "http://["));
		row.attempt("few", () => history.pushState(1));
		row.attempt("none", () => history.pushState());
		row.attempt("clone", () => history.pushState(() => {}, ""));
		row.attempt("this", () =>
			History.prototype.pushState.call({}, 1, ""));
		const popped = row.once(window, "popstate");
		history.pushState(2, "", "/f");
		history.back();
		row.log((await popped).state);
		here();
		history.replaceState(null, "", pathname);
	},
	"elements": async (row) => {
		const load = async (name, attribute, url, append) => {
			const element = document.createElement(name);
			row.log(element[attribute],
				element.getAttribute(attribute));
			element[attribute] = url;
			row.log(name, url, element[attribute],
				element.getAttribute(attribute));
			if (name === "link")
				element.rel = "stylesheet";
			if (!append)
				return;
			const event = await new Promise((resolve) => {
				element.onload = element.onerror = resolve;
				document.body.append(element);
			});
			row.log(event.type);
			element.remove();
		};
		await load("img", "src", "/image.svg", true);
		await load("img", "src", "/missing", true);
		await load("script", "src", "/script.js", true);
		row.log(window.ran);
		await load("script", "src", "/missing", true);
		await load("link", "href", "/style.css", true);
		await load("iframe", "src", "/", true);
		await load("a", "href", "/x?y#z");
		await load("a", "href", "//other/x");
		await load("form", "action", "/x");
		const a = document.createElement("a");
		a.href = "/x/y?z#w";
		row.log(a.pathname, a.search, a.hash, a.host === location.host,
			String(a));
		for (const args of [[], ["href"], ["a b", "c"], ["href", null],
			["href", undefined], ["HREF", "/q"]])
			row.attempt("setAttribute", () => {
				a.setAttribute(...args);
				return a.getAttribute("href");
			});
	},
	"workers": async (row) => {
		const worker = new Worker("/worker.js?q");
		worker.postMessage("hello");
		const { data } = await row.once(worker, "message");
		row.log(data, worker instanceof Worker, String(worker));
		worker.terminate();
		const missing = new Worker("/missing");
		row.log((await row.once(missing, "error")).type);
		row.attempt("none", () => new Worker());
		row.attempt("function", () => Worker("/worker.js"));
		row.attempt("other", () =>
			new Worker("http://other.test/w.js"));
		row.attempt("bad", () => new Worker("http://["));
		row.attempt("beacon", () => navigator.sendBeacon("/mirror",
			"x"));
		row.attempt("beacon", () => navigator.sendBeacon());
		row.attempt("beacon", () => navigator.sendBeacon("http://["));
		row.attempt("audio", () => new Audio("/x").src);
		row.attempt("audio", () => new Audio().src);
	},
	"service workers": async (row) => {
		const { serviceWorker } = navigator;
		row.log(await serviceWorker.getRegistrations(),
			await serviceWorker.getRegistration());
		await row.attemptLater("other", () =>
			serviceWorker.register("http://other.test/sw.js"));
		await row.attemptLater("none", () => serviceWorker.register());
		await row.attemptLater("missing", () =>
			serviceWorker.register("/missing"));
		await row.attemptLater("bad", () =>
			serviceWorker.getRegistration("http://other.test/"));
	},
	"caches": async (row) => {
		for (const name of await caches.keys())
			await caches.delete(name);
		row.log(await caches.keys(), await caches.has("a"));
		const cache = await caches.open("b");
		await caches.open("a");
		row.log(await caches.keys(), await caches.has("a"),
			cache instanceof Cache, String(caches));
		await cache.put("/x?y", new Response("stored"));
		await cache.add("/text");
		await cache.addAll(["/bytes", new Request("/mirror?c")]);
		for (const request of await cache.keys())
			row.log(request.url, request.method);
		row.log(await (await cache.match("/x?y")).text(),
			await cache.match("/x"), (await cache.match("/x",
				{ ignoreSearch: true })).status,
			(await caches.match("/text")).url,
			await caches.match("/nowhere"),
			(await cache.matchAll()).length,
			(await cache.matchAll("/text")).length);
		await row.attemptLater("missing", () => cache.add("/missing"));
		await row.attemptLater("none", () => cache.match());
		await row.attemptLater("none", () => caches.match());
		await row.attemptLater("none", () => caches.open());
		await row.attemptLater("named", () =>
			caches.match("/text", { cacheName: "a" }));
		row.log(await cache.delete("/text"),
			await cache.delete("/text"),
			await caches.delete("a"), await caches.delete("a"),
			await caches.delete("b"), await caches.keys());
	},
};
