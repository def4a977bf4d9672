// Where it is not the same, by design: what becomes of the log of a row, and
// why.

export const DIFFERENCES = {
	// The head of a stream has no words beside its status, as with HTTP/2.
	"fetch of an event stream": ([[status, , ...rest], ...others]) =>
		[[status, "", ...rest], ...others],

	// Fields travel in JSON; bytes that are not UTF-8 have no place there.
	"fetch, a header field that is no ASCII": () =>
		[[Buffer.from("\ufffd").toString("latin1")]],

	// The area is that of all instances: ours alone go, one by one.
	"storage that is cleared elsewhere": ([, ...rest]) =>
		[["a", "1", null], ...rest],
};
