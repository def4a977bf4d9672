// What the programs know, as their sources say it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * The groups of each match of a pattern in those files of a folder.  To find
 * less than there can be is an error: the sources changed, and this lint has
 * to follow.
 */
function find(folder, files, pattern, atLeast, what) {
	const found = readdirSync(folder).filter((name) => files.test(name))
		.flatMap((name) => [...readFileSync(join(folder, name), "utf8")
			.matchAll(pattern)].map((match) => match.slice(1)));

	if (found.length < atLeast)
		throw new Error(`${folder}: found ${found.length} ${what}, ` +
			`not even ${atLeast}`);
	return found;
}

// A table is understood as a whole, or not at all.
function count(found, folder, files, entry, what) {
	const { length } = find(folder, files, entry, 1, what);

	if (found.length !== length)
		throw new Error(`${folder}: understood ${found.length} of ` +
			`${length} ${what}`);
	return found;
}

const findAll = (folder, files, pattern, entry, atLeast, what) => count(
	find(folder, files, pattern, atLeast, what), folder, files, entry, what);

// The flags of getopt(3) as letters, those of getopt_long(3) as words.
export const letters = (folder, files) => find(folder, files,
	/getopt(?:_long)?\(\s*argc, argv,\s*"([^"]+)"/g, 1, "getopt")
	.flatMap(([text]) => text.match(/\w/g));

export const longOptions = (folder, files) => findAll(folder, files,
	/\{ "([a-z-]+)", (?:required|no)_argument,/g,
	/\w+_argument,/g, 7, "long options")
	.map(([name]) => name);

// Variables of the environment that are read by their names.
export const variables = (folder, files, atLeast) => find(folder, files,
	/\b(?:(?:secure_)?getenv|control_path_from)\(\s*"(\w+)"/g, atLeast,
	"variables").map(([name]) => name);

// The table of all settings.
export const settings = () => findAll("tetherd", /^settings_table\.c$/,
	/\{ "([a-z]*)", "([a-z -]+)",\s*\{ ([^}]*) \},\s*&type_(\w+)([^{}]*)/g,
	/&type_\w+/g, 40, "settings").map(([block, words, names, type, rest]) => ({
	key: `${block}: ${words}`,
	block,
	words,
	type,
	idle: rest.includes(".idle = true"), // nothing uses it
	names: [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name),
}));

// What processes tell of themselves, shown by that command; see status.def.
export const labels = (command) => findAll("common", /^status\.def$/,
	/^STATUS\(\w+,\s*\w+,\s*\w+,\s*(\w+),\s*"([^"]+)"\)/gm,
	/^STATUS\(/gm, 20, "labels").filter(([where]) => where === command)
	.map(([, label]) => label);

// What "tetherctl show" adds to the labels, by the file that makes the rows.
const first = (rows) => rows.map(([text]) => text);
export const rows = () => first(find("tetherd", /^control_show\.c$/,
	/\bsend_(?:text|number)\(\s*ch, "([^"]+)"/g, 4, "rows"));
export const fields = (file) => first(find("tetherd", file,
	/\b(?:control_row_\w+|add_date|add_known)\(\s*&?m, "([^"]+)"/g, 4, "fields"));
export const limits = () => first(find("tetherd", /^control_limits\.c$/,
	/\{ "([^"]+)", \w+,/g, 12, "limits"));

// Texts between a beginning and the line that closes it.
const parts = (folder, files, begin, end, what) => find(folder, files,
	new RegExp(`${begin}([^]*?)\n${end}`, "g"), 1, what);

// The words of tetherctl by their table: where each leads to, and whether the
// command may end there.  Where a name is wanted it has no word.
const ENTRY = new RegExp('\\{ (?:"([\\w-]+)"|"<[^"]*>"|(?!NULL)[A-Z]+), (\\w+), ' +
	"\\w+,\\s*(\\w+)(?:,\\s*(?:true|false))? \\}", "g");
const tokens = () => new Map(parts("tetherd", /^ctl_words\.c$/,
	"\nstatic const struct token (\\w+)\\[\\] = \\{\n", "};", "tables")
	.map(([table, text]) => [table,
		[...text.matchAll(ENTRY)].map(([, word, type, next]) =>
			({ word, next, ends: type !== "MSG_NONE" }))]));

// The commands of tetherctl, up to where they may end or a name is wanted; with
// those that begin with another one, but without words that may be left out.
// And all words.
export function commands() {
	const tables = tokens();
	const named = (table) => table.some(({ word }) => word === undefined);
	const from = (table, before) => table.flatMap((token) => {
		const phrase = before + token.word;
		const next = tables.get(token.next) ?? [];
		const goesOn = !named(next) &&
			(!token.ends || next.some(({ ends }) => !ends));

		return [...token.ends || named(next) ? [phrase] : [],
			...goesOn ? from(next, `${phrase} `) : []];
	});
	const words = count([...tables.values()].flat(), "tetherd",
		/^ctl_words\.c$/, /\{ (?:"|(?!NULL)[A-Z]+,)/g, "words")
		.map(({ word }) => word).filter((word) => word !== undefined);

	return { phrases: from(tables.get("commands"), ""), words };
}

// What main() returns and what ends a program elsewhere in those files.
export const statuses = (folder, files) => [
	...parts(folder, files, "\n(main)\\(", "}\n", "main()")
		.flatMap(([, text]) => text.match(/return [^;]*/g) ?? [])
		.flatMap((text) => text.match(/\b\d+\b/g) ?? []),
	...find(folder, files, /\bexit\((\d+)\)/g, 0, "exits").flat()];

// The words of the audit log, by the name of their table.
export const auditWords = (table) => parts("common", /^audit\.c$/,
	`\nstatic const char \\*const (${table})\\[\\w+\\] = \\{`, "};", table)
	.flatMap(([, text]) => [...text.matchAll(/\[\w+\] = "([^"]+)"/g)])
	.map(([, word]) => word);

// The members of an object in the audit file.
export const auditMembers = () => first(find("tetherd", /^audit_text\.c$/,
	/(?:\bput_\w+\(\s*f, |")\{?\\?"(\w+)\\?"[,:]/g, 10, "members"));

// The signals that tetherd acts on for somebody else.
export const signals = () => parts("tetherd", /^main\.c$/,
	"static const int (signals)\\[\\] = \\{", "#define", "signals")
	.flatMap(([, text]) => text.match(/\bSIG\w+/g))
	.filter((name) => name !== "SIGCHLD");

const LITERAL = /"((?:[^"\\]|\\.)*)"/g;
const literals = (text) => [...text.replace(/"\s*PRI\w+\s*"/g, "d")
	.replace(/"\s*PRI\w+/g, 'd"').matchAll(LITERAL)]
	.map(([, part]) => part.replaceAll('\\"', '"')).join("");

// What an operator sees in the log, or on standard error, as printf(3) has it.
export const messages = (folder, files, functions) => find(folder, files,
	new RegExp(`\\b(${functions})\\(\\s*(?:[\\w&.>-]+,\\s*){0,2}` +
		'((?:"(?:[^"\\\\]|\\\\.)*"(?:\\s*PRI\\w+)?\\s*)+)', "g"), 0, "messages")
	.map(([name, text]) => (name === "health_report" ? "GitHub: " : "") +
		literals(text) + (/^(?:log_)?warn$/.test(name) ? ": %s" : ""));

// All strings, those that stand beside each other as one.
export const strings = (folder, files) => find(folder, files,
	/((?:"(?:[^"\\]|\\.)*"\s*(?:PRI\w+\s*)?)+)/g, 1, "strings")
	.map(([text]) => literals(text));

// The numbers of an enumeration that counts from 0.
export const enumeration = (folder, files, name) => parts(folder, files,
	`enum (${name}) \\{`, "};", name)
	.flatMap(([, text]) => text.match(/^\t\w+,/gm))
	.map((_, i) => String(i));
