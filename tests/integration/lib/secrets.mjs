// Secrets that a test can recognise wherever, and however, they turn up.

import { randomBytes } from "node:crypto";

// Of random characters: so many in a row are enough to know them by.
const PIECE = 16;
// What different ways of writing things down do something to.
const AWKWARD = "+/=%&";

/*
 * The text of a secret in all the ways in which it may be written down.  Letters
 * and digits stay what they are in JSON, and in percent-encodings that encode
 * no more than they must.
 */
export function formsOf(text) {
	const bytes = Buffer.from(text);
	const hex = bytes.toString("hex");
	const forms = [text, hex, hex.toUpperCase(),
		hex.replaceAll(/../g, "%$&"), encodeURIComponent(text),
		hex.toUpperCase().replaceAll(/../g, "%$&"),
		JSON.stringify(text).slice(1, -1)];

	// In base64 it depends on what stands in front: the ends are left out.
	for (let ahead = 0; ahead < 3; ahead++)
		for (const encoding of ["base64", "base64url"])
			forms.push(Buffer.concat([Buffer.alloc(ahead), bytes])
				.toString(encoding).replaceAll("=", "")
				.slice(ahead === 0 ? 0 : ahead + 1, -2));
	return [...new Set(forms)];
}

export class Secrets {
	constructor() {
		this.pieces = new Map(); // of a secret that is looked for: its name
	}

	// A new one: the prefix, random characters, the suffix.
	make(name, prefix = "", suffix = AWKWARD) {
		const core = randomBytes(PIECE).toString("hex");
		this.add(name, core);
		return prefix + core + suffix;
	}

	// One that somebody else has made.  Half of it gives it away, too.
	add(name, text) {
		for (const half of [text.slice(0, PIECE), text.slice(-PIECE)])
			for (const form of formsOf(half))
				this.pieces.set(form, name);
	}

	// A JSON Web Token: what it says and its signature, each by itself.
	addJwt(name, jwt) {
		const [, claims, signature] = jwt.split(".");
		this.pieces.set(claims, name);
		this.add(name, signature);
	}

	// The names of those that are in the text, but for the ones allowed.
	in(text, allowed = []) {
		const found = new Set();
		for (const [piece, name] of this.pieces)
			if (!allowed.includes(name) && text.includes(piece))
				found.add(name);
		return [...found];
	}
}
