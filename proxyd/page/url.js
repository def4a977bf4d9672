// URLs of the app, which believes to live at the root of its origin.

// P of the documentation, as it looks in location.pathname.
const prefix = new URL(config.base, location.href).pathname
	.replace(/\/+$/, "");

const ROOTED = /^[\0- ]*[/\\]/;
const ABSOLUTE = /^[\0- ]*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i;

// Is the URL of the page's own origin, over HTTP or as a WebSocket?
function isOwn(url) {
	return url.host === location.host &&
		url.protocol.replace(/^ws/, "http") === location.protocol;
}

function isBelow(pathname) {
	return pathname.startsWith(`${prefix}/`);
}

// The URL that the app means.  What needs no change comes back as it is, and
// so does what is no URL: the native API then says so.
function fix(value) {
	try {
		const text = `${value}`;
		// Most links of a page: nothing to do.
		if (value === undefined || text[0] === "#")
			return value;
		let url = new URL(text, baseURI());
		if (!isOwn(url) || isBelow(url.pathname))
			return value;
		if (!ABSOLUTE.test(text) && !ROOTED.test(text))
			url = new URL(text, appBase());
		url.pathname = url.pathname === prefix ? `${prefix}/` :
			prefix + url.pathname;
		return ABSOLUTE.test(text) ? url.href :
			url.href.slice(url.origin.length);
	} catch {
		return value;
	}
}

// The document's base as the app believes it to be: nothing is above its root.
function appBase() {
	const base = new URL(baseURI());

	if (isBelow(base.pathname))
		base.pathname = base.pathname.slice(prefix.length);
	return base;
}

// A patch for functions that have a URL among their arguments.
function fixArgument(index) {
	return (self, args, native) => {
		if (index < args.length)
			args[index] = fix(args[index]);
		return native(...args);
	};
}

// For constructors.
function fixFirst(args, newTarget, native) {
	return fixArgument(0)(null, args, native);
}

// URLs separated by spaces, as in ping="".
function fixWords(value) {
	return `${value}`.replace(/[^\t\n\f\r ]+/g, fix);
}

// A list of image candidates (HTML standard, "Srcset attributes"): a URL may
// hold commas, though not at its end; a descriptor may hold them in brackets.
const CANDIDATE =
	/([\s,]*)(\S*[^\s,])((?:,+|\s(?:[^,(]|\([^)]*\))*)?)/g;

function fixCandidates(value) {
	return `${value}`.replace(CANDIDATE,
		(all, before, url, after) => before + fix(url) + after);
}

// Path and query at the app's root, for what does not travel over HTTP.
function appPath(url) {
	const path = isBelow(url.pathname) ?
		url.pathname.slice(prefix.length) :
		url.pathname === prefix ? "/" : url.pathname;
	return path.replace(/^\/+/, "/") + url.search;
}
