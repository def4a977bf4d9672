// Configurations, handed to tetherd in a folder of their own.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const NAMED_FILE = /\b(?:token|secret|ca) file\s+"([^"]+)"/g;

function write(path, text) {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	writeFileSync(path, text, { mode: 0o600 });
}

export class Examples {
	count = 0;
	#tetherd;
	#tetherctl;
	#folder = mkdtempSync(join(tmpdir(), "tetherd-lint-"));

	constructor(build) {
		this.#tetherd = resolve(build, "sbin/tetherd");
		this.#tetherctl = resolve(build, "sbin/tetherctl");
	}

	remove() {
		rmSync(this.#folder, { recursive: true });
	}

	#run(...args) {
		const done = spawnSync(this.#tetherd, args, { encoding: "utf8",
			env: { HOME: this.#folder }, timeout: 10000 });

		if (done.error !== undefined)
			throw done.error;
		return done;
	}

	// The exit status of tetherctl where no tetherd is.
	ask(words) {
		const done = spawnSync(this.#tetherctl,
			["-s", join(this.#folder, "none"), ...words]);

		if (done.error !== undefined)
			throw done.error;
		return done.status;
	}

	// A value that depends on where we are, as a page says it.
	anywhere(value) {
		return value.replace(this.#folder, "~").replaceAll('"', "")
			.replace(new RegExp(`^${hostname()}$`), "the host name");
	}

	#root() {
		return join(this.#folder, String(++this.count));
	}

	// Its paths move below root, and the secrets that they name are made.
	#place(root, name, text) {
		const moved = text.replace(/"(?=\/(?:etc|home|srv|var)\/)/g,
			`"${root}`);

		for (const [, path] of moved.matchAll(NAMED_FILE))
			write(path, "ao_0123_4567\n");
		write(join(root, "etc", name), moved);
	}

	/*
	 * Returns what is wrong with a tetherd.conf, or undefined.  files: the
	 * text of those beside it, by their names; args: further options.
	 */
	refused(text, files = {}, args = []) {
		const root = this.#root();

		this.#place(root, "tetherd.conf", text);
		for (const name of Object.keys(files))
			this.#place(root, name, files[name]);
		return this.#judge(root, "-n", "-f",
			join(root, "etc/tetherd.conf"), ...args);
	}

	// The same for a .env file.
	refusedEnv(text) {
		const root = this.#root(), path = join(root, ".env");

		write(path, text);
		write(join(root, "none"), "");
		return this.#judge(root, "-n", "-f", join(root, "none"),
			"-e", path);
	}

	#judge(root, ...args) {
		const { status, stderr } = this.#run(...args);

		return status === 0 && /^configuration OK$/m.test(stderr) ?
			undefined : stderr.replaceAll(root, "").trim();
	}

	// What tetherd -nn prints of a text, and what it complains of.
	print(text) {
		const path = join(this.#root(), "tetherd.conf");

		write(path, text);
		const { stdout, stderr } = this.#run("-nn", "-f", path);
		return { stdout, stderr };
	}
}
