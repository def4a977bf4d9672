// Bytes to and from base64, in steps that fit on the stack.

const { Headers, atob, btoa } = globalThis;

function toBase64(bytes) {
	let text = "";

	for (let i = 0; i < bytes.length; i += 0x2000)
		text += apply(String.fromCharCode, null,
			bytes.subarray(i, i + 0x2000));
	return btoa(text);
}

function fromBase64(text) {
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

// An orchestrator that cannot carry bytes passes their base64 on, and a field
// that says so.
const ENCODING = "x-orch-encoding";

async function undoBase64(response) {
	if (response.headers.get(ENCODING) !== "base64" || !response.body)
		return response;
	const { status, statusText } = response;
	const headers = new Headers(response.headers);
	headers.delete(ENCODING);
	const bytes = fromBase64(await response.text());
	const { url, redirected, type } = response;
	return withSource(
		new Response(bytes, { status, statusText, headers }),
		{ url, redirected, type });
}

// A response that is made by hand does not know where it came from.
const responseSources = new WeakMap();

function withSource(response, source) {
	responseSources.set(response, source);
	return response;
}

for (const name of ["url", "redirected", "type"])
	patchAccessor(Response.prototype, name, {
		get: (self, native) => responseSources.has(self) ?
			responseSources.get(self)[name] : native(),
	});
patchMethod(Response.prototype, "clone", (self, args, native) => {
	const source = responseSources.get(self);
	return source ? withSource(native(), source) : native();
});
