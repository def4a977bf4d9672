// What tetherd itself says of its settings.

// The types of those whose values tetherd.conf limits.
export const LIMITED = new Set(["choice", "number", "duration", "size"]);

// Nothing takes a question mark: the complaint says what would be right.
function complaintAbout({ block, words }, examples) {
	const line = `${words} "?"`;
	const { stderr } = examples.print(
		block === "" ? `${line}\n` : `${block} {\n${line}\n}\n`);
	const complaint = stderr.split("\n")
		.find((text) => text.includes(`${words}: "?" is `));

	if (complaint === undefined)
		throw new Error(`tetherd does not refuse ${line}: ${stderr}`);
	return complaint;
}

/*
 * Of each setting, by its key: range, like "from 1 to 4096", or undefined;
 * choices, the words that it may be.
 */
export function limits(settings, examples) {
	return new Map(settings.map((setting) => {
		const complaint = LIMITED.has(setting.type) ?
			complaintAbout(setting, examples) : "";
		const choices = complaint.match(/ is (?:neither|none of) (.*)/);

		return [setting.key, {
			range: complaint.match(/from \w+ to \w+/)?.[0],
			choices: choices === null ? [] :
				choices[1].split(/ nor |, /),
		}];
	}));
}

// The default of each setting that has one, by its key.
export function defaults(settings, examples) {
	const { stdout } = examples.print("");
	const found = new Map();
	let block = "";

	for (const line of stdout.split("\n")) {
		block = line.match(/^(\w+) \{/)?.[1] ?? block;
		const text = line.match(/^\s*(\w.*?)\s*# default$/)?.[1] ?? "";
		const { key, words } = settings
			.filter((setting) => setting.block === block &&
				text.startsWith(`${setting.words} `))
			.sort((a, b) => b.words.length - a.words.length)
			.at(0) ?? {};
		if (key !== undefined)
			found.set(key, examples.anywhere(
				text.slice(words.length + 1)));
		if (line.startsWith("}"))
			block = "";
	}
	return found;
}
