// A tetherd.conf, which a test may change.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/*
 * The file, with that text: its path; args that make tetherd read it;
 * change(text, tetherd) writes another one and waits until it counts, or, with
 * a line in place of that, until the line was logged.
 */
export async function startConf(stage, text) {
	const path = join(await stage.directory(), "tetherd.conf");
	const write = (content) => writeFile(path, content, { mode: 0o600 });

	await write(text);
	return {
		path,
		args: ["-d", "-f", path],
		async change(content, tetherd, line = "settings reloaded") {
			const from = tetherd.lines.length;
			await write(content);
			tetherd.signal("SIGHUP");
			await tetherd.line(line, { from });
		},
	};
}
