// A page with the script in it, as proxyd sends it, among fakes.

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import vm from "node:vm";

import { Clock, settle } from "./clock.mjs";
import { makeDom, makeObserver } from "./dom.mjs";
import { CloseEvent, makeCaches, makeEventSource, makeFetch, makeRequests,
	makeSocket, makeStorage, makeWorkers, noting } from "./fakes.mjs";
import { Hub } from "./hub.mjs";

const build = process.env.TETHERD_BUILD ?? "build";
export const pageText = readFileSync(`${build}/proxyd/page.js`, "utf8");
export const workerText = readFileSync(`${build}/proxyd/worker.js`, "utf8");

export const BASE = "/clients/box/proxy";
export const CONFIG = { base: BASE, client: "box", handle: "tether_one",
	login: "octocat" };

// What a browser has and Node has, too.
const COMMON = { Blob, DOMException, Event, EventTarget, Headers,
	MessageEvent, ReadableStream, Response, TextDecoder, TextEncoder,
	URL, URLSearchParams, atob, btoa, crypto: webcrypto };

// globals replace or add to what the page has; island and currentScript say
// how the script is there.
export function openPage({ config = CONFIG, globals = {}, run = true,
	href = `http://hub.test${BASE}/`, island = JSON.stringify(config),
	external = false, respond = () => new Response("native"),
	registrations = [], storage } = {}) {
	const calls = [];
	const log = (name, ...details) => calls.push([name, ...details]);
	const clock = new Clock();
	const dom = makeDom();
	const observer = makeObserver();
	const sockets = [];
	const hub = new Hub(clock);
	const target = new EventTarget();
	const root = Object.assign(new dom.Element("html"), { isRoot: true });
	const { Storage, StorageEvent } = makeStorage();
	const areas = storage ?? {};

	const add = (local, attributes = {}) => {
		const element = new dom.Element(local);
		for (const [name, value] of Object.entries(attributes))
			element.attributes.set(name, value);
		root.append(element);
		return element;
	};
	const islandElement = island === null ? null :
		add("script", { id: "tetherd-page" });
	if (islandElement)
		islandElement.textContent = island;
	const location = { href, get host() {
		return new URL(href).host;
	}, get protocol() {
		return new URL(href).protocol;
	} };
	const document = {
		baseURI: href,
		currentScript: external ? null : add("script"),
		documentElement: root,
		createElement: (name) => new dom.Element(name),
		getElementById: (id) => root.children.find((child) =>
			child.attributes.get("id") === id) ?? null,
	};

	const window = {
		...COMMON, ...clock.globals(), ...dom, ...makeWorkers(log,
			registrations),
		...makeCaches(log), ...makeRequests(log), Storage,
		StorageEvent, CloseEvent, document, location,
		...makeFetch(log, () => document.baseURI, respond),
		MutationObserver: observer.MutationObserver,
		WebSocket: makeSocket(log, (socket) => {
			sockets.push(socket);
			hub.add(socket);
		}),
		EventSource: makeEventSource(log),
		open: (...args) => {
			log("window.open", ...args);
		},
		Worker: noting(log, "Worker"),
		SharedWorker: noting(log, "SharedWorker"),
		Audio: noting(log, "Audio"),
		addEventListener: target.addEventListener.bind(target),
		dispatchEvent: target.dispatchEvent.bind(target),
		...globals,
	};
	for (const name of ["localStorage", "sessionStorage"]) {
		areas[name] ??= new Storage();
		Object.defineProperty(window, name, {
			get: () => areas[name],
			enumerable: true, configurable: true,
		});
	}
	vm.createContext(window);
	// The context's own view: "window" is what the global object is there.
	const inside = (text) => vm.runInContext(text, window);
	inside("globalThis.window = globalThis;");
	if (run)
		inside(pageText);
	return { window, inside, run: () => inside(pageText), calls, clock,
		dom, observer, sockets, hub, root, areas, document,
		islandElement, settle,
		// Details of the calls of one kind.
		called: (name) => calls.filter(([n]) => n === name)
			.map(([, ...details]) => details) };
}
