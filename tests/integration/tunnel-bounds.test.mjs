// What one page can take from all others: little.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe } from "node:test";

import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline, until } from "./lib/time.mjs";
import { echo, makeHandle, Page, startPage } from "./lib/tunnel.mjs";

const opened = async (tunnel) => {
	const data = await deadline(tunnel.opened, 15000, "not open");
	assert.equal(data.t, "open", JSON.stringify(data));
};

describe("bounds of tunnels", { concurrency: 2 }, () => {
	scenario("pieces that wait leave room for others", async (stage) => {
		const instance = await startPage(stage, { connected: echo });
		const { page, connection } = instance;
		const other = new Page(connection);
		other.handle = await makeHandle(instance, 9001, "hubot");
		const theirs = other.open("/ws");
		await opened(theirs);

		// The first piece never comes.
		for (let i = 0; i < 8; i++) {
			const tunnel = page.open("/ws");
			await opened(tunnel);
			for (let n = 1; n <= 250; n++)
				tunnel.sendPiece(n, "");
		}
		const began = Date.now();
		for (let i = 0; i < 20; i++) {
			await theirs.send(`message ${i}`);
			assert.equal(await theirs.messages.next(), `message ${i}`);
		}
		await opened(other.open("/ws"));
		assert.ok(Date.now() - began < 5000);
	});

	scenario("256 tunnels that do not end do not keep it from stopping",
		async (stage) => {
			const instance = await startPage(stage, {
				connected: (ws) => ws.socket.pause() });
			const { connection, tetherd } = instance;
			const tunnels = [];
			for (let i = 0; i < 4; i++) {
				const page = new Page(connection);
				page.handle = await makeHandle(instance, 100 + i, `user${i}`);
				for (let j = 0; j < 64; j++)
					tunnels.push(page.open("/ws"));
				await Promise.all(tunnels.map(opened));
			}
			const began = Date.now();
			tetherd.signal("SIGTERM");
			assert.equal((await tetherd.ended()).code, 0);
			assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
			for (const tunnel of tunnels)
				assert.ok(await deadline(tunnel.closed, 1000, "no end"));
		});

	scenario("ids that grow when they are written down", async (stage) => {
		const { page, connection, orchestrator, upstream } =
			await startPage(stage, { connected: (ws) =>
				ws.send("\u0001".repeat(100000)) });
		const ids = ["", "\u0001".repeat(256), "\"\\".repeat(128),
			"\u2028é🗝".padEnd(251), "</script>", "__proto__"];
		const open = (link, request_id) => new Promise((resolve) => {
			let text = "";
			link.replies.set(request_id, ({ type, data }) => {
				text += data.d ?? "";
				if (type === "response_complete")
					resolve({ data, text });
				else if (data.n !== undefined && !data.more)
					resolve({ text });
			});
			link.send({ type: "user_request", request_id,
				action: "tunnel.open",
				payload: { handle: page.handle, path: "/ws" } });
		});

		await eachRow(ids, async (id) => assert.equal(
			(await deadline(open(connection, id), 9000, "none")).text,
			"\u0001".repeat(100000)));
		// Those of a connection that is gone mean nothing in the next one,
		// once the web app said goodbye.
		connection.socket.destroy();
		const next = await orchestrator.registered();
		await until(() => upstream.open === 0, "sockets are left");
		await eachRow(ids, async (id) => assert.equal(
			(await deadline(open(next, id), 9000, "none")).text,
			"\u0001".repeat(100000)));
	});

	scenario("a close is not held up by a page that does not acknowledge",
		async (stage) => {
			// Reads only when all that it has to say is said.
			const { page, upstream } = await startPage(stage, {
				connected: (ws) => {
					ws.pause();
					ws.send(randomBytes(16000000), () => ws.resume());
				} });
			const tunnel = page.open("/ws", { acks: false });
			await opened(tunnel);
			const ws = await upstream.sockets.next();
			await until(() => tunnel.received === 262144, "no full window");
			tunnel.send(Buffer.alloc(20000000));
			let was;
			await until(async () => {
				was = tunnel.sent;
				await new Promise((resolve) => setTimeout(resolve, 300));
				return was === tunnel.sent;
			}, "it does not stop");
			assert.ok(was < 300);
			await tunnel.tell("close", { n: was, code: 3000, reason: "" });
			assert.ok(await deadline(tunnel.closed, 8000, "no end"));
			assert.ok(ws);
		});
});
