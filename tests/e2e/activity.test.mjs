// Whether the instance is idle, active or busy, in front of the real apps.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { WebSocket } from "ws";

import { sql } from "../integration/lib/database.mjs";
import { request } from "../integration/lib/http.mjs";
import { startInstance } from "../integration/lib/instance.mjs";
import { SECRET, tetherctl } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { Queue, until } from "../integration/lib/time.mjs";
import { makeHandle, Page } from "../integration/lib/tunnel.mjs";
import { startApp } from "./lib/apps.mjs";

const CLAUDE = fileURLToPath(new URL("lib/claude-slow.mjs", import.meta.url));
const RUN_MS = 6000;
const NAMES = { old: "claude-code-ui", new: "cloudcli" };

const part = (object) =>
	Buffer.from(JSON.stringify(object)).toString("base64url");

// As somebody else than our users, who talks to the app without us.
async function tokenOf({ database }) {
	await sql(database, "INSERT INTO users (username, password_hash) " +
		"VALUES ('local', '-')");
	const [{ id }] =
		await sql(database, "SELECT id FROM users WHERE username = 'local'");
	const iat = Math.floor(Date.now() / 1000);
	const text = `${part({ alg: "HS256", typ: "JWT" })}.` +
		part({ userId: id, username: "local", iat, exp: iat + 3600 });
	return `${text}.` +
		createHmac("sha256", SECRET).update(text).digest("base64url");
}

// A project, and a `claude` that takes its time: also in the place of the one
// that comes with the old app, which is a script that it gives to `node`.
async function furnish(home) {
	const slow = `RUN_MS=${RUN_MS} exec "${process.execPath}" "${CLAUDE}" "$@"`;
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
}

// What begins a run, on a chat socket.
async function command(app, name, token) {
	const projectPath = join(app.home, "sample");
	if (name === "old")
		return { type: "claude-command", command: "hello",
			options: { cwd: projectPath, projectPath } };
	const answer = await request(`${app.url}/api/providers/sessions`, {
		method: "POST",
		headers: { "Content-Type": "application/json",
			Authorization: `Bearer ${token}` },
		body: JSON.stringify({ provider: "claude", projectPath,
			initialMessage: "hello" }),
	});
	assert.equal(answer.status, 201, answer.text);
	return { type: "chat.send", content: "hello",
		sessionId: answer.json.data.sessionId };
}

async function openDirectly(stage, app, token) {
	const ws = new WebSocket(`ws://127.0.0.1:${app.port}/ws?token=${token}`);
	stage.atEnd(() => ws.terminate());
	ws.received = new Queue("messages of the app");
	ws.on("message", (data) => ws.received.push(JSON.parse(data)));
	await new Promise((resolve, reject) => {
		ws.on("open", resolve);
		ws.on("error", reject);
	});
	return ws;
}

const status = async ({ connection }, wanted, timeout) => {
	const message = await connection.receive("status_update", timeout);
	assert.equal(message.status, wanted);
	return message.receivedAt;
};

async function runsOf({ tetherd }) {
	const { stdout } = await tetherctl(tetherd, "show", "status");
	return /^ *runs:? +(.*)$/m.exec(stdout)?.[1];
}

async function start(stage, name) {
	const app = await startApp(stage, name, { secret: SECRET, furnish });
	const token = await tokenOf(app);
	const instance = await startInstance(stage, { upstream: () => app,
		database: false, env: { DATABASE_PATH: app.database } });
	await until(async () =>
		await runsOf(instance) === `none (asked: ${NAMES[name]})`,
	"it was not asked", 45000);
	return { ...instance, app, token };
}

for (const name of ["old", "new"]) {
	scenario(`${name} app: a run of a page's chat`, { timeout: 180000 },
		async (stage, t) => {
			const all = await start(stage, name);
			const page = new Page(all.connection);
			page.handle = await makeHandle(all);
			const chat = page.open("/ws");
			assert.equal((await chat.opened).t, "open");
			await status(all, "active");
			await chat.send(JSON.stringify(
				await command(all.app, name, all.token)));
			const begin = await status(all, "busy");
			await until(async () => /^1 \(asked/.test(await runsOf(all)),
				"it is not known");
			const end = await status(all, "active", 60000);
			t.diagnostic(`busy for ${end - begin} ms of ${RUN_MS}`);
			// What changes twice at once is told a little later.
			assert.ok(end - begin >= RUN_MS - 500, `${end - begin} ms`);
			assert.equal(await runsOf(all), `none (asked: ${NAMES[name]})`);
			await chat.close(1000, "");
			await status(all, "idle");
		});

	scenario(`${name} app: a run outlives its page`, { timeout: 180000 },
		async (stage, t) => {
			const all = await start(stage, name);
			const page = new Page(all.connection);
			page.handle = await makeHandle(all);
			const chat = page.open("/ws");
			await chat.opened;
			await status(all, "active");
			await chat.send(JSON.stringify(
				await command(all.app, name, all.token)));
			const begin = await status(all, "busy");
			await until(async () => /^1 \(asked/.test(await runsOf(all)),
				"it is not known");
			await chat.close(1000, "");
			const end = await status(all, "idle", 60000);
			t.diagnostic(`busy for ${end - begin} ms of ${RUN_MS}`);
			assert.ok(end - begin >= RUN_MS - 1000, `${end - begin} ms`);
		});

	scenario(`${name} app: a run that was begun there`, { timeout: 180000 },
		async (stage, t) => {
			const all = await start(stage, name);
			const page = new Page(all.connection);
			page.handle = await makeHandle(all);
			const other = page.open("/ws"); // somebody looks at it
			await other.opened;
			await status(all, "active");
			const ws = await openDirectly(stage, all.app, all.token);
			const message = await command(all.app, name, all.token);
			const sent = Date.now();
			ws.send(JSON.stringify(message));
			const begin = await status(all, "busy", 40000);
			await ws.received.next((m) => m.type === "claude-complete" ||
				m.kind === "complete", 60000);
			const over = Date.now();
			const end = await status(all, "active", 40000);
			t.diagnostic(`known after ${begin - sent} ms, ` +
				`its end after ${end - over} ms`);
			assert.ok(begin - sent < 10000);
			assert.ok(end - over < 10000);
		});
}
