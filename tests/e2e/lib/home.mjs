// What a person has at home: a project under git, conversations about it and
// the program `claude`.

import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const CLAUDE = fileURLToPath(new URL("claude.mjs", import.meta.url));
const run = promisify(execFile);

// A word that is in one conversation and nowhere else.
export const NEEDLE = "perihelion";
export const SESSION = "5e551011-0000-4000-8000-00000000000a";
export const TITLE = "About the sample";
export const README = "# Sample\n\nA line of the sample project.\n";

// What a person and the assistant said, as the assistant keeps it.
function conversation(project) {
	const line = (n, type, content) => JSON.stringify({
		type,
		uuid: `5e551011-0000-4000-8000-1000000000${n}`,
		parentUuid: n === 10 ? null : `5e551011-0000-4000-8000-1000000000${n - 1}`,
		sessionId: SESSION,
		cwd: project,
		timestamp: `2025-01-01T00:00:${n}.000Z`,
		message: { role: type, content },
	});
	return [
		line(10, "user", `When is the ${NEEDLE} of the sample?`),
		line(11, "assistant", [{ type: "text", text: "In $x^2+y^2=z^2$ days, " +
			"and\n\n$$\\int_0^1 \\sqrt{x}\\,dx$$\n\nhours.\n\n" +
			"```mermaid\ngraph TD; Near-->Far\n```\n" }]),
		JSON.stringify({ type: "custom-title", sessionId: SESSION,
			customTitle: TITLE }),
	].join("\n") + "\n";
}

async function git(project, ...args) {
	await run("git", ["-c", "user.name=e2e", "-c", "user.email=e2e@localhost",
		...args], { cwd: project });
}

// The name under which conversations about a project are kept.
const encoded = (path) => path.replaceAll(/[^a-zA-Z0-9]/g, "-");

async function put(path, text) {
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, text);
}

// Fill the folder; returns the path of the project.
export async function furnish(home) {
	const project = join(home, "sample");

	await put(join(project, "README.md"), README);
	await put(join(project, "src/main.js"), "export const answer = 42;\n");
	await git(project, "init", "-q", "-b", "main");
	await git(project, "add", ".");
	await git(project, "commit", "-q", "-m", "the first commit");
	await put(join(project, "README.md"), `${README}One line more.\n`);
	await put(join(home, ".claude/projects", encoded(project),
		`${SESSION}.jsonl`), conversation(project));
	await put(join(home, "bin/claude"),
		"#!/bin/sh\n[ -t 0 ] && PS1='$ ' exec sh -i\n" +
		`exec "${process.execPath}" "${CLAUDE}" "$@"\n`);
	await chmod(join(home, "bin/claude"), 0o755);
	return project;
}
