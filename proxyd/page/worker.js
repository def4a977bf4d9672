// The prologue of the app's service worker.

// It may cache, and be told of messages; what pages load is not its business:
// an old page, or an error, would be served for ever after.
const { addEventListener } = EventTarget.prototype;
const isFetch = (self, type) =>
	(self === undefined || self === null || self === globalThis) &&
	`${type}` === "fetch";

patchMethod(EventTarget.prototype, "addEventListener",
	(self, args, native) => args.length > 1 && isFetch(self, args[0]) ?
		undefined : native(...args));

let onfetch = null;
patchAccessor(globalOwner("onfetch"), "onfetch", {
	get: () => onfetch,
	set(self, value) {
		onfetch = typeof value === "function" ? value : null;
	},
});

// What elements load passes no script but this one, so that it is here where
// bytes become what they were.
const BYTES = new Set(["audio", "embed", "font", "image", "object", "track",
	"video"]);

if (config.base64) {
	const { clients, fetch, skipWaiting } = globalThis;
	const listen = (type, listener) =>
		apply(addEventListener, globalThis, [type, listener]);

	listen("install", () => skipWaiting());
	listen("activate", (event) => event.waitUntil(clients.claim()));
	listen("fetch", (event) => {
		const { request } = event;
		if (BYTES.has(request.destination) && isOwn(new URL(request.url)))
			event.respondWith(fetch(request));
	});
}

// Pages of the orchestrator and of other instances are not the app's.
const isOurClient = (client) => isBelow(new URL(client.url).pathname);

patchMethod(globalThis.Clients?.prototype, "matchAll",
	async (self, args, native) => (await native(...args))
		.filter(isOurClient));
patchMethod(globalThis.Clients?.prototype, "get",
	async (self, args, native) => {
		const client = await native(...args);
		return client && isOurClient(client) ? client : undefined;
	});
patchMethod(globalThis.Clients?.prototype, "openWindow", fixArgument(0));
patchMethod(globalThis.WindowClient?.prototype, "navigate", fixArgument(0));

patchMethod(globalOwner("importScripts"), "importScripts",
	(self, args, native) => native(...args.map(fix)));
