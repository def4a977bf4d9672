// proxyd says where the app lives; without its word, the worker's own URL may.

const { location, URLSearchParams } = globalThis;
const baseURI = () => location.href;

config.base ??= new URLSearchParams(location.search).get("proxyBase");
if (!/^\/[^/]/.test(config.base))
	return;
