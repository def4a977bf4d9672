// Runs at the real apps that last: a `claude` that takes its time, whom the apps
// know, and what begins a run.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { sql } from "../../integration/lib/database.mjs";
import { request } from "../../integration/lib/http.mjs";
import { SECRET } from "../../integration/lib/programs.mjs";

const CLAUDE = fileURLToPath(new URL("claude-slow.mjs", import.meta.url));

const part = (object) =>
	Buffer.from(JSON.stringify(object)).toString("base64url");

// A token of somebody whom the app knows.
export async function tokenOf({ database }, username) {
	const [{ id }] = await sql(database,
		`SELECT id FROM users WHERE username = '${username}'`);
	const iat = Math.floor(Date.now() / 1000);
	const text = `${part({ alg: "HS256", typ: "JWT" })}.` +
		part({ userId: id, username, iat, exp: iat + 3600 });
	return `${text}.` +
		createHmac("sha256", SECRET).update(text).digest("base64url");
}

// A project, and a `claude` that works that long: also in the place of the one
// that comes with the old app, which is a script that it gives to `node`.
export const furnishFor = (ms) => async (home) => {
	const slow = `RUN_MS=${ms} exec "${process.execPath}" "${CLAUDE}" "$@"`;
	const programs = {
		claude: slow,
		node: `case "$*" in */cli.js*) ${slow};; esac\n` +
			`exec "${process.execPath}" "$@"`,
	};

	await mkdir(join(home, "sample"), { recursive: true });
	await mkdir(join(home, "bin"), { recursive: true });
	for (const [name, script] of Object.entries(programs)) {
		await writeFile(join(home, "bin", name), `#!/bin/sh\n${script}\n`);
		await chmod(join(home, "bin", name), 0o755);
	}
};

// A session of the new app: its id.
export async function createSession(app, token) {
	const answer = await request(`${app.url}/api/providers/sessions`, {
		method: "POST",
		headers: { "Content-Type": "application/json",
			Authorization: `Bearer ${token}` },
		body: JSON.stringify({ provider: "claude",
			projectPath: join(app.home, "sample"),
			initialMessage: "hello" }),
	});
	assert.equal(answer.status, 201, answer.text);
	return answer.json.data.sessionId;
}

// What begins a run, on a chat socket.
export async function command(app, name, token) {
	const projectPath = join(app.home, "sample");
	if (name === "old")
		return { type: "claude-command", command: "hello",
			options: { cwd: projectPath, projectPath } };
	return { type: "chat.send", content: "hello",
		sessionId: await createSession(app, token) };
}
