/*
 * Manual pages, README and sample against the programs: what a program knows
 * stands in its page, what a page knows is known to the program, and tetherd
 * takes every configuration that is shown.
 *
 *	TETHERD_BUILD=build node tests/lint/manual.mjs PAGE...
 */

import { readdirSync, readFileSync } from "node:fs";

import { Examples } from "./examples.mjs";
import { defaults, LIMITED, limits } from "./facts.mjs";
import { Page } from "./mdoc.mjs";
import * as sources from "./sources.mjs";

const BUILD = process.env.TETHERD_BUILD ?? "build";

const README = "README.md";

const complaints = [];

function complain(where, what) {
	complaints.push(`${where}: ${what}`);
}

// Both ways.
function compare(where, what, known, written) {
	for (const word of new Set(known))
		if (!written.includes(word))
			complain(where, `${what} ${word} is missing`);
	for (const word of new Set(written))
		if (!known.includes(word))
			complain(where, `${what} ${word} does not exist`);
}

const pages = new Map(process.argv.slice(2)
	.map((file) => [file.replace("man/", ""), new Page(file)]));
const examples = new Examples(BUILD);
process.on("exit", () => examples.remove());
const settings = sources.settings();
const values = defaults(settings, examples);

const CONF = pages.get("tetherd.conf.5");
const TOP = "Top level"; // what the page calls the block without a name

function settingsOf(item) {
	const block = item.sub === TOP ? "" : item.sub;

	return item.heads.map((head) => {
		const words = head.slice(1).join(" ")
			.replace(/ (?:Ar|Cm) .*/, "");
		return settings.find((setting) => setting.block === block &&
			setting.words === words) ??
			{ key: `${block}: ${words}`, names: [] };
	});
}

const choicesOf = ([head]) => head.includes("Cm") ?
	head.slice(head.indexOf("Cm") + 1).filter((word) => word !== "|") : [];

function checkSettings() {
	const items = CONF.itemsOf("SETTINGS");
	const names = settings.flatMap((setting) => setting.names);
	const ranges = limits(settings, examples);

	if (values.size < 15)
		throw new Error(`tetherd -nn prints ${values.size} defaults`);
	compare(CONF.file, "setting", settings.map(({ key }) => key),
		items.flatMap((item) => settingsOf(item).map(({ key }) => key)));
	for (const item of items) {
		const where = `${CONF.file}:${item.line}`;
		const text = item.text.replace(/\s+/g, " ");
		const here = settingsOf(item);
		const { range = "", choices = [] } = ranges.get(here[0].key) ?? {};

		compare(where, "variable", here.flatMap((s) => s.names),
			(text.match(/\w+/g) ?? []).filter((w) => names.includes(w)));
		compare(where, "value", choices, choicesOf(item.heads));
		if (!text.includes(range))
			complain(where, `it is ${range}`);
		for (const { key } of here) {
			const value = `The default is ${values.get(key)}`;
			if (values.has(key) && !text.includes(value))
				complain(where, value);
		}
	}
}

function checkIdle() {
	const text = CONF.texts.get("CAVEATS/") ?? "";

	for (const { idle, block, words } of settings)
		if (idle && !text.includes(words) && !text.includes(block))
			complain(`${CONF.file}, CAVEATS`,
				`${words} has no effect`);
}

// The blocks and settings that pages speak of.
function checkWords() {
	const known = new Set(["include",
		...settings.flatMap(({ block, words }) => [block, words])]);

	for (const page of [...Object.keys(FLAGS), "tetherd.conf.5"]
		.map((name) => pages.get(name)))
		for (const { text, line } of page.uses("Ic"))
			if (!known.has(text))
				complain(`${page.file}:${line}`,
					`nobody knows the word ${text}`);
}

function checkEnvironment() {
	const names = settings.flatMap((setting) => setting.names);
	const known = {
		"tetherd.8": [...names,
			...sources.variables("tetherd", /^(?!ctl|dialer)/, 2)],
		"tetherctl.8":
			sources.variables("tetherd", /^(?:ctl|control_path)/, 2),
		"tether-hub.8": sources.variables("hub", /./, 1),
	};

	for (const [name, variables] of Object.entries(known))
		compare(`man/${name}`, "variable", variables,
			pages.get(name).heads("ENVIRONMENT", "Ev"));
	for (const page of pages.values())
		for (const { text, line } of page.uses("Ev"))
			if (!Object.values(known).flat().includes(text))
				complain(`${page.file}:${line}`,
					`there is no variable ${text}`);
}

function checkEnvironmentOfSettings() {
	const page = pages.get("tetherd.8");

	for (const item of page.itemsOf("ENVIRONMENT"))
		for (const { words, names } of settings)
			if (names.some((name) => item.heads.flat().includes(name)) &&
			    !item.text.includes(words))
				complain(`${page.file}:${item.line}`,
					`${words} is missing`);
}

const FLAGS = {
	"tetherd.8": () => sources.letters("tetherd", /^(?:main|options)\.c$/),
	"tetherctl.8": () => sources.letters("tetherd", /^ctl/),
	"tether-hub.8": () => [...sources.letters("hub", /^options\.c$/),
		...sources.longOptions("hub", /^options\.c$/)
			.map((name) => `-${name}`)],
};

// A cluster like "dnv" is one argument in a synopsis.
const single = ({ text }) => text.startsWith("-") ? [text] : [...text];

function checkFlagsUsed(page, flags) {
	for (const { text, line } of page.uses("Fl"))
		if (!single({ text }).every((flag) => flags.includes(flag)))
			complain(`${page.file}:${line}`,
				`there is no option ${text}`);
}

function checkFlags() {
	for (const [name, known] of Object.entries(FLAGS)) {
		const page = pages.get(name), flags = known();

		compare(page.file, "option", flags,
			page.heads("DESCRIPTION", "Fl").map((head) =>
				head.split(" ")[0]));
		compare(`${page.file}, SYNOPSIS`, "option", flags,
			page.uses("Fl", "SYNOPSIS").flatMap(single));
		checkFlagsUsed(page, flags);
	}
	checkFlagsUsed(CONF, FLAGS["tetherd.8"]());
}

function checkRows() {
	const page = pages.get("tetherctl.8");
	const heads = (sub) => page.plainHeads("DESCRIPTION", sub);
	const text = page.texts.get("DESCRIPTION/Show limits") ?? "";

	compare(`${page.file}, status`, "row",
		[...sources.rows(), ...sources.labels("STATUS")],
		heads("Show status"));
	compare(`${page.file}, stats`, "row", sources.labels("STATS"),
		heads("Stats"));
	compare(`${page.file}, processes`, "column",
		sources.fields(/^control_show\.c$/), heads("Show processes"));
	compare(`${page.file}, users and tokens`, "column",
		sources.fields(/^control_admin\.c$/),
		[...heads("Users"), ...heads("Tokens")]);
	compare(`${page.file}, limits`, "column or row",
		[...sources.fields(/^control_limits\.c$/), ...sources.limits()],
		[...heads("Show limits"),
			...page.uses("Ic", "DESCRIPTION", "Show limits")
				.map((use) => use.text)
				.filter((word) => word !== "limits")]);
	// They have no row of their own, but say how much is in use.
	for (const label of sources.labels("USE"))
		if (!text.includes(label))
			complain(`${page.file}, limits`, `${label} is missing`);
}

function checkCommands() {
	const page = pages.get("tetherctl.8");
	const { phrases, words } = sources.commands();

	compare(page.file, "command", phrases, page.heads("DESCRIPTION", "Cm"));
	compare(page.file, "word", words, page.uses("Cm")
		.flatMap(({ text }) => text.split(" ")));
}

function checkSignals() {
	const page = pages.get("tetherd.8");
	const table = readFileSync(README, "utf8")
		.match(/^\| signal \|[^]*?\n\n/m)[0];

	compare(page.file, "signal", sources.signals(), page
		.itemsOf("DESCRIPTION").flatMap(({ heads }) => heads.flat())
		.filter((word) => word.startsWith("SIG")));
	compare(README, "signal", sources.signals(), [...table
		.matchAll(/`([A-Z0-9]+)`/g)].map(([, name]) => `SIG${name}`));
}

function checkAudit() {
	const page = pages.get("tetherd.8");
	const verdicts = page.itemsOf("AUDIT LOG")
		.find(({ heads }) => heads.flat().includes("verdict"))?.text ?? "";

	compare(page.file, "audit event", sources.auditWords("events"),
		page.heads("AUDIT LOG", "Cm"));
	compare(page.file, "member of the audit file", sources.auditMembers(),
		page.heads("AUDIT LOG", "Va"));
	for (const word of sources.auditWords("verdicts"))
		if (!verdicts.includes(word))
			complain(`${page.file}, AUDIT LOG`,
				`verdict ${word} is missing`);
}

function checkStatuses() {
	for (const [name, known] of [
		["tetherd.8", sources.statuses("tetherd", /^(?:main|options)\.c$/)],
		["tetherctl.8", sources.enumeration("tetherd",
			/^ctl_client\.h$/, "ctl_status")],
		["tether-hub.8", sources.statuses("hub", /^(?:main|server)\.c$/)]])
		compare(`man/${name}`, "exit status", known,
			pages.get(name).plainHeads("EXIT STATUS"));
}

const PARENT = /^(?!ctl).*\.[chy]$/, CTL = /^ctl.*\.c$/, ANY = /\.[ch]$/;
const LOG = "log_warnx?|log_infox|reload_blame|trouble_report|health_report";
const SPEAKERS = {
	"tetherd.8": [["tetherd", PARENT, LOG], ["connector", ANY, LOG],
		["proxyd", ANY, LOG], ["authd", ANY, LOG], ["common", ANY, LOG],
		["sandbox", ANY, LOG]],
	"tetherctl.8": [["tetherd", CTL, "warnx?"]],
	"tether-hub.8": [["hub", ANY, LOG]],
};
const CONVERSION = /%[-.*\d]*(?:hh|h|ll|l|j|z)?[a-z]/;
const VARIES = /(?<![A-Z_])[A-Z]+(?![A-Z_])/; // a word, of pages

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = (text, varying) => new RegExp(`^${
	text.split(varying).map(escape).join(".*")}$`);
const says = (text, varying) =>
	/[a-z]{3}|_/.test(text.split(varying).join(""));
const matches = (message, head) =>
	pattern(message, CONVERSION).test(head) ||
	pattern(head, VARIES).test(message);

/*
 * Each message stands in DIAGNOSTICS, as itself or as one that is more
 * general; and what stands there is such a message, or consists of texts and
 * words that are said somewhere.
 */
function checkDiagnostics() {
	for (const [name, speakers] of Object.entries(SPEAKERS)) {
		const page = pages.get(name);
		const heads = page.plainHeads("DIAGNOSTICS")
			.map((head) => head.replace(/ +/g, " "))
			.filter((head) => says(head, VARIES));
		const all = speakers.flatMap((args) => sources.messages(...args))
			.filter((text) => text.replace(CONVERSION, "") !== "");
		const known = all.filter((text) => says(text, CONVERSION));
		const said = [...speakers, ["tetherd", PARENT], ["authd", ANY]]
			.flatMap(([folder, files]) =>
				sources.strings(folder, files)).join("\n");

		for (const text of new Set(known))
			if (!heads.some((head) => matches(text, head)))
				complain(`${page.file}, DIAGNOSTICS`,
					`"${text}" is missing`);
		for (const head of heads)
			if (!all.some((text) => matches(text, head)) &&
			    !head.split(VARIES).every((part) =>
				said.includes(part.trim())))
				complain(`${page.file}, DIAGNOSTICS`,
					`nobody says "${head}"`);
		for (const head of heads)
			for (const [word] of head.matchAll(/\b[a-z]{4,}\b/g))
				if (!new RegExp(`\\b${word}`).test(said))
					complain(`${page.file}, DIAGNOSTICS`,
						`nobody says ${word} of "${head}"`);
	}
}

const USAGE = 1;

// What is wrong with the words behind the name of a program, or undefined.
function judgeCommand(name, words) {
	if (name === "tetherctl")
		return examples.ask(words) === USAGE ?
			"no such command" : undefined;
	const flags = FLAGS[`${name}.8`]();

	return words.filter((word) => /^-/.test(word))
		.flatMap((word) => word.startsWith("--") ?
			[word.slice(1)] : [...word.slice(1)])
		.some((flag) => !flags.includes(flag)) ?
		"no such option" : undefined;
}

// Commands that are shown: in a line of their own, with a prompt or without.
function checkCommandLines(where, text) {
	for (const part of text.split(/\n|&&|[|;]|\s#\s.*/)) {
		const [, name, rest] = part.trim().match(
			/^(?:[#$] )?(tetherctl|tetherd|tether-hub)((?: [^:].*))$/) ?? [];
		const why = name === undefined ? undefined :
			judgeCommand(name, rest.split(" ").slice(1));

		if (why !== undefined)
			complain(where, `${why}: ${part.trim()}`);
	}
}

function checkCommandsShown() {
	for (const page of pages.values()) {
		for (const { text, line } of page.displays)
			checkCommandLines(`${page.file}:${line}`, text);
		for (const { text, line } of page.uses("Ql"))
			checkCommandLines(`${page.file}:${line}`, text);
	}
	const text = readFileSync(README, "utf8");

	for (const [line] of text.matchAll(/^ {4,}.*$/gm))
		checkCommandLines(README, line);
	for (const [, code] of text.matchAll(/`([^`\n]+)`/g))
		checkCommandLines(README, code);
}

// A comment in each display says what is to be done with it.
const KINDS = {
	config: (text, args, files) => examples.refused(text, files, args),
	env: (text) => examples.refusedEnv(text),
	file: () => undefined, // along with the others
};

function checkDisplays(page) {
	const marked = page.displays.map(({ mark = "", text, line }) => {
		const [kind, ...args] = mark.split(" ");
		return { kind, args, text, line };
	});
	const files = Object.fromEntries(marked
		.filter(({ kind }) => kind === "file")
		.map(({ args, text }) => [args[0], text]));

	for (const { kind, args, text, line } of marked) {
		const looksLike = /^\w[\w ]*(?:\{|=)/m.test(text);
		const why = KINDS[kind]?.(text, args, files);
		if (kind === "" ? looksLike || page === CONF : !(kind in KINDS))
			complain(`${page.file}:${line}`,
				"a display without a known mark");
		if (why !== undefined)
			complain(`${page.file}:${line}`, `refused: ${why}`);
	}
}

function checkExamples() {
	for (const page of pages.values())
		checkDisplays(page);
	if (examples.count < 4)
		throw new Error(`${examples.count} examples are too few`);
}

const SAMPLE = "etc/tetherd.conf";

// As it is, and with the settings that it shows: each that is of use and no
// secret, with its default if that is the same everywhere.
function checkSample() {
	const text = readFileSync(SAMPLE, "utf8");
	const shown = text.replace(/^#(?! |$)/gm, "");

	for (const [what, why] of [["", examples.refused(text)],
		[" without comments", examples.refused(shown)]])
		if (why !== undefined)
			complain(SAMPLE + what, why);
	for (const { key, words, type, idle } of settings) {
		const line = LIMITED.has(type) ?
			`${words} ${values.get(key)}\n` : `${words} `;
		if (type !== "secret" && type !== "flag" && !idle &&
		    !new RegExp(`^\\t?${line}`, "m").test(shown))
			complain(SAMPLE, `does not show ${line.trim()}`);
	}
}

// The settings that stand in lines of the text, as one configuration.
function gather(text) {
	const blocks = new Map();

	for (const [, block, line] of text.matchAll(/`(\w+) \{ ([^`]*) \}`/g))
		blocks.set(block, `${blocks.get(block) ?? ""}\t${line}\n`);
	return [...blocks].map(([block, lines]) => `${block} {\n${lines}}\n`)
		.join("").replace("wss://…", "wss://example/")
		.replaceAll('"…"', '"/etc/x"');
}

function checkReadme() {
	const text = readFileSync(README, "utf8");
	const names = settings.flatMap((setting) => setting.names);
	const shown = (text.match(/(?:^ {4}.*\n|\n(?= {4}))+/gm) ?? [])
		.map((block) => block.replace(/^ {4}/gm, "").trimStart())
		.filter((block) => /^\w+ \{/.test(block));

	if (shown.length === 0)
		complain(README, "no configuration is shown");
	for (const why of [...shown, gather(text)]
		.map((configuration) => examples.refused(configuration)))
		if (why !== undefined)
			complain(README, `refused: ${why}`);
	for (const [name] of text.matchAll(/\b(?:ORCHESTRATOR|GITHUB)_\w+/g))
		if (!names.includes(name))
			complain(README, `there is no variable ${name}`);
}

// All pages are installed, and name only pages that there are.
function checkPages() {
	const present = readdirSync("man");
	const ours = /^tether/;

	compare("Makefile", "page", present, [...pages.keys()]);
	for (const page of pages.values())
		for (const { words: [macro, name, section], line } of page.macros)
			if (macro === "Xr" && ours.test(name) &&
			    !present.includes(`${name}.${section}`))
				complain(`${page.file}:${line}`,
					`there is no ${name}(${section})`);
}

function checkAll() {
	checkSettings();
	checkIdle();
	checkWords();
	checkEnvironment();
	checkEnvironmentOfSettings();
	checkFlags();
	checkRows();
	checkCommands();
	checkSignals();
	checkAudit();
	checkStatuses();
	checkDiagnostics();
	checkCommandsShown();
	checkExamples();
	checkSample();
	checkReadme();
}

checkPages();
if (complaints.length === 0)
	checkAll();
for (const complaint of complaints)
	console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
