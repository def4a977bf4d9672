// Manual pages as the lint sees them: macros, lists and displays.

import { readFileSync } from "node:fs";

const unescape = (text) => text.replace(/\\\(dq/g, '"')
	.replace(/\\\(aq/g, "'").replace(/\\e/g, "\\").replace(/\\&/g, "");

// The words of a macro line; those in quotes may hold blanks.
const split = (line) => [...line.matchAll(/"((?:[^"]|"")*)"|(\S+)/g)]
	.map(([, quoted, bare]) => unescape(quoted ?? bare));

const MACRO = /^(?:Ar|Cm|Dv|Ev|Fl|Ic|Nm|Ns|No|Oc|Oo|Op|Pa|Pq|Ql|Sx|Xr)$/;

// The arguments of a macro that begin with these words.
function argumentsFrom(words) {
	const end = words.findIndex((word) => MACRO.test(word));
	return words.slice(0, end === -1 ? undefined : end);
}

// The same where commas stand between several: "url , token file".
export const listFrom = (words) => argumentsFrom(words).join(" ")
	.split(/ [,|](?: |$)/).map((word) => word.replace(/( [.;:()])+$/, ""))
	.filter((word) => word !== "");

export class Page {
	// Each macro line with the section and subsection that it stands in.
	macros = [];
	/*
	 * The items of lists that are not inside of another list: the heads
	 * that share a text are one item.
	 */
	items = [];
	// All that is not a macro or behind one, by "section/subsection".
	texts = new Map();
	// What is shown as it is; mark: the comment in its first line, if any.
	displays = [];

	#section = "";
	#sub = "";
	#depth = 0;
	#display;
	#shared = false; // a head belongs to the item before it

	constructor(file) {
		const text = readFileSync(file, "utf8").replace(/\\\n/g, " ");

		this.file = file;
		text.split("\n").forEach((line, i) => this.#take(line, i + 1));
	}

	#take(text, line) {
		if (this.#display !== undefined)
			this.#show(text);
		else if (!text.startsWith("."))
			this.#describe(text);
		else if (!text.startsWith('.\\"'))
			this.#obey(split(text.slice(1)), line);
	}

	#show(text) {
		if (text === ".Ed")
			this.#display = undefined;
		else if (text.startsWith('.\\" ') && this.#display.text === "")
			this.#display.mark = text.slice(4);
		else
			this.#display.text += `${unescape(text)}\n`;
	}

	#describe(text) {
		const place = `${this.#section}/${this.#sub}`;

		this.texts.set(place, `${this.texts.get(place) ?? ""}${text}\n`);
		if (this.#depth > 0 && this.items.length > 0)
			this.items.at(-1).text += `${unescape(text)}\n`;
	}

	#obey([macro, ...args], line) {
		if (macro === "Sh")
			[this.#section, this.#sub] = [args.join(" "), ""];
		else if (macro === "Ss")
			this.#sub = args.join(" ");
		else if (macro === "Bd")
			this.displays.push(this.#display = { line, text: "" });
		else if (macro === "Bl")
			this.#shared = ++this.#depth > 1;
		else if (macro === "El")
			this.#depth--;
		if (macro === "It" && this.#depth === 1)
			this.#head(args, line);
		else if (macro !== "Bl")
			this.#describe(args.join(" "));
		this.macros.push({ words: [macro, ...args], line,
			section: this.#section, sub: this.#sub });
	}

	#head(args, line) {
		if (this.#shared && this.items.at(-1).text === "")
			this.items.at(-1).heads.push(args);
		else
			this.items.push({ heads: [args], text: "", line,
				section: this.#section, sub: this.#sub });
		this.#shared = true;
	}

	itemsOf(section, sub) {
		return this.items.filter((item) => item.section === section &&
			(sub === undefined || item.sub === sub));
	}

	// The heads of such items that are no macros.
	plainHeads(section, sub) {
		return this.itemsOf(section, sub).flatMap(({ heads }) =>
			heads.map((head) => head.join(" ")));
	}

	// The heads of such items, if they begin with that macro, as texts.
	heads(section, macro, sub) {
		return this.itemsOf(section, sub).flatMap((item) => item.heads)
			.filter(([first]) => first === macro)
			.flatMap(([, ...words]) => listFrom(words));
	}

	// What each use of a macro has as its arguments, also inside a line.
	uses(macro, section, sub) {
		return this.macros.filter((entry) =>
			entry.section === (section ?? entry.section) &&
			entry.sub === (sub ?? entry.sub))
			.flatMap(({ words, line }) => words.flatMap((word, i) =>
				word !== macro ? [] : listFrom(words.slice(i + 1))
					.map((text) => ({ text, line }))));
	}
}
