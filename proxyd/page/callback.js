// Straight to the web app, where the operator says how: the page then has a
// JWT of its own, as long as it is good.

const { Date } = globalThis;

// What a JWT says of its end; anything else says nothing.
function isExpired(token) {
	try {
		const [, claims] = token.split(".");
		const bytes = fromBase64(claims.replace(/-/g, "+")
			.replace(/_/g, "/"));
		const { exp } = parse(new TextDecoder().decode(bytes));
		return exp * 1000 <= Date.now();
	} catch {
		return false;
	}
}

const callback = (() => {
	try {
		const url = new URL(config.callback);
		return /^https?:$/.test(url.protocol) &&
			typeof config.token === "string" ? url : null;
	} catch {
		return null;
	}
})();

// The URL there for a path and query of the app, or null.
function callbackURL(path, isSocket) {
	if (callback === null || isExpired(config.token))
		return null;
	const url = new URL(path, callback.origin);
	if (isSocket)
		url.protocol = callback.protocol.replace(/^http/, "ws");
	url.search += `${url.search === "" ? "?" : "&"}token=${config.token}`;
	return url.href;
}
