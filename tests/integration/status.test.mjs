// What the orchestrator is told of an instance's activity.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { scenario } from "./lib/scenario.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, Page, startPage } from "./lib/tunnel.mjs";

const INTERVAL = 200;

// Timers of two processes do not agree to the millisecond.
const SLACK = 20;

const options = { connected: echo };
const soon = { ...options,
	env: { ORCHESTRATOR_RECONNECT_INTERVAL: "100" } };

async function open(page) {
	const tunnel = page.open("/ws");
	const data = await deadline(tunnel.opened, 15000, "not open");
	assert.equal(data.t, "open", JSON.stringify(data));
	return tunnel;
}

const close = async (tunnel) => {
	tunnel.close(1000, "");
	await deadline(tunnel.closed, 15000, "no end");
};

const update = (connection, status) => connection.messages.next((m) =>
	m.type === "status_update" && m.status === status);

// What was told and nobody waited for.
const told = (connection) => connection.messages.items
	.filter((m) => m.type === "status_update");

const refresh = (connection) =>
	connection.send({ type: "command", command: "refresh_status" });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("status_update", { concurrency: 3 }, () => {
	scenario("changes, and nothing else", async (stage) => {
		const { page, connection } = await startPage(stage, options);

		assert.equal(connection.register.metadata.status, "idle");
		const first = await open(page);
		const { client_id } = await update(connection, "active");
		assert.equal(client_id, "box");
		const second = await open(page);
		await close(first);
		await pause(2 * INTERVAL);
		assert.deepEqual(told(connection), []);
		await close(second);
		await update(connection, "idle");
	});

	scenario("five in a second, and the last one is right", async (stage) => {
		const { page, connection } = await startPage(stage, options);
		const began = Date.now();

		while (Date.now() - began < 1500)
			await close(await open(page));
		const tunnel = await open(page);
		await pause(2 * INTERVAL);
		const all = told(connection);
		connection.messages.items = [];
		for (let i = 1; i < all.length; i++) {
			const apart = all[i].receivedAt - all[i - 1].receivedAt;
			assert.ok(apart >= INTERVAL - SLACK, `${apart} ms`);
			assert.notEqual(all[i].status, all[i - 1].status);
		}
		const passed = Date.now() - began;
		assert.ok(all.length <= passed / INTERVAL + 1, `${all.length}`);
		assert.ok(all.length >= 3, `${all.length}`);
		assert.equal(all.at(-1).status, "active");
		await close(tunnel);
		await update(connection, "idle");
	});

	scenario("refresh_status is answered at once, each time",
		async (stage) => {
			const { page, connection } = await startPage(stage, options);

			refresh(connection);
			await update(connection, "idle");
			await open(page);
			await update(connection, "active");
			const began = Date.now();
			for (let i = 0; i < 10; i++) {
				refresh(connection);
				await update(connection, "active");
			}
			assert.ok(Date.now() - began < 10 * INTERVAL);
			await pause(2 * INTERVAL);
			assert.deepEqual(told(connection), []);
		});

	scenario("a new connection learns it anew", async (stage) => {
		const { page, connection, orchestrator } =
			await startPage(stage, soon);

		await open(page);
		await update(connection, "active");
		connection.socket.destroy();
		// Its tunnels ended with the old one, sooner or later than the
		// register was made.
		const next = await orchestrator.registered();
		if (next.register.metadata.status === "active")
			await update(next, "idle");
		await pause(2 * INTERVAL);
		assert.deepEqual(told(next), []);
		const again = new Page(next);
		again.handle = page.handle;
		await open(again);
		await update(next, "active");
	});

	scenario("proxyd is killed: its last word stays until the next one's",
		async (stage) => {
			const { page, connection, tetherd } =
				await startPage(stage, options);

			await open(page);
			await update(connection, "active");
			process.kill(tetherd.childPid("proxyd"), "SIGKILL");
			await tetherd.line("lost child: proxyd terminated; " +
				"signal 9 (Killed)");
			await update(connection, "idle");
			await pause(2 * INTERVAL);
			assert.deepEqual(told(connection), []);
			assert.equal(connection.ws.readyState, 1);
			await open(page);
			await update(connection, "active");
		});

	scenario("before it is registered nothing is told", async (stage) => {
		const { page, connection, orchestrator } =
			await startPage(stage, soon);

		await open(page);
		await update(connection, "active");
		orchestrator.options.register = false;
		connection.socket.destroy();
		const next = await orchestrator.connection();
		const register = await next.receive("register");
		refresh(next);
		await pause(2 * INTERVAL);
		assert.deepEqual(told(next), []);
		next.send({ type: "registered", success: true });
		await update(next, "idle");
		assert.ok(["active", "idle"].includes(register.metadata.status));
	});
});
