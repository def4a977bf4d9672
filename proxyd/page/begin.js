// What proxyd says about this page stands in a JSON island.  It is looked for
// by its id, as this script may be inline or a file of its own; both leave
// the document before the app can see them.

const { document } = globalThis;

const config = (() => {
	const island = document.getElementById("tetherd-page");
	// Ours cannot be deleted; the orchestrator may have set its own.
	const marker = getOwnPropertyDescriptor(globalThis,
		"__ORCHESTRATOR_PROXY_BASE__");

	document.currentScript?.remove();
	island?.remove();
	if (!island || marker?.configurable === false)
		return null;
	try {
		const found = parse(island.textContent);
		return /^\/[^/]/.test(found?.base) ? found : null;
	} catch {
		return null;
	}
})();
if (config === null)
	return;

const { location } = globalThis;
const baseURI = () => document.baseURI;

// The handle in use; a new one replaces it when it expires.
let handle = String(config.handle ?? "");
