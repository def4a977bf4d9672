// What the app may know: where it lives.  The second is the base name of the
// router in an app that does not know a prefix by itself.

for (const name of ["__ORCHESTRATOR_PROXY_BASE__", "__ROUTER_BASENAME__"])
	defineProperty(globalThis, name, {
		value: prefix, writable: true, enumerable: true,
		configurable: false,
	});
