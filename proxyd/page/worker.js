// The prologue of the app's service worker.

// It may cache, and be told of messages; what pages load is not its business:
// an old page, or an error, would be served for ever after.
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
