// fetch, Request and what else takes one.

const HANDLE = /^\s*Bearer\s+tether_/i;

const NativeRequest = Request;
const requestURL = getOwnPropertyDescriptor(Request.prototype, "url").get;

// A Request that another realm made can point outside.
function fixRequest(input) {
	let url;

	try {
		url = apply(requestURL, input, []);
	} catch {
		return fix(input);
	}
	const fixed = fix(url);
	return fixed === url ? input : new NativeRequest(fixed, input);
}

patchConstructor("Request", (args, newTarget, native) => {
	if (args.length > 0)
		args[0] = fixRequest(args[0]);
	return native(...args);
});

// The handle is for us alone: proxyd signs requests itself.
function dropHandle(headers) {
	if (HANDLE.test(headers.get("authorization") ?? ""))
		headers.delete("authorization");
	return headers;
}

// answerRequest(request) may answer in the network's place, or say null.
let answerRequest = () => null;
// watchAnswer(response) sees what the network answers.
let watchAnswer = () => {};

async function fetchNative(native, request) {
	const response = await native(request);

	watchAnswer(response);
	return undoBase64(response);
}

// fetch() is defined to begin with making a Request of its arguments: it is
// the one place to see all of it, whichever way it was said.
patchMethod(globalOwner("fetch"), "fetch", async (self, args, native) => {
	if (args.length === 0)
		return native();
	args[0] = fixRequest(args[0]);
	let request;
	try {
		request = new NativeRequest(args[0], args[1]);
	} catch {
		return native(...args); // says what is wrong in its own words
	}
	dropHandle(request.headers);
	return answerRequest(request) ?? fetchNative(native, request);
});
