// Whether the instance is idle, active or busy, in front of the real apps.

import assert from "node:assert/strict";

import { WebSocket } from "ws";

import { sql } from "../integration/lib/database.mjs";
import { startInstance } from "../integration/lib/instance.mjs";
import { SECRET, tetherctl } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { Queue, until } from "../integration/lib/time.mjs";
import { makeHandle, Page } from "../integration/lib/tunnel.mjs";
import { startApp } from "./lib/apps.mjs";
import { command, furnishFor, tokenOf } from "./lib/slow-runs.mjs";

const RUN_MS = 6000;
const NAMES = { old: "claude-code-ui", new: "cloudcli" };

// As somebody else than our users, who talks to the app without us.
async function localToken(app) {
	await sql(app.database, "INSERT INTO users (username, password_hash) " +
		"VALUES ('local', '-')");
	return tokenOf(app, "local");
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
	const app = await startApp(stage, name, { secret: SECRET,
		furnish: furnishFor(RUN_MS) });
	const token = await localToken(app);
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
