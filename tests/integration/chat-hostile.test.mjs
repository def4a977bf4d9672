// Chat sessions with upstreams, browsers and orchestrators that misbehave.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { Session, settle, startChats } from "./lib/chat.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { Queue, until } from "./lib/time.mjs";
import { makeHandle, Page } from "./lib/tunnel.mjs";

const MIB = 1024 * 1024;
const TOO_LONG = { error: true,
	message: "a message of the web app is too long" };
const LOST = { error: true, code: 1006, reason: "",
	message: "the web app closed the connection" };

// An end that says what went wrong, and the message "error".
async function assertFailed(session, message, late = false) {
	assert.deepEqual(await session.ended(), { error: true, message });
	assert.deepEqual(await session.errors.next(), { message });
	// What comes later than that, if anything does, finds no session.
	const others = new Set(session.ends.slice(1).map((data) => data.message));
	if (late)
		others.delete("no such session");
	assert.deepEqual([...others], []);
}

// A frame from the server, written by hand.
const frame = (first, payload) => {
	const data = Buffer.from(payload);
	const head = data.length < 126
		? Buffer.from([first, data.length])
		: Buffer.from([first, 126, data.length >> 8, data.length & 255]);
	return Buffer.concat([head, data]);
};

describe("hostile chat sessions", { concurrency: 2 }, () => {
	scenario("an upstream that does not open its socket", async (stage) => {
		let status = 401;
		const { browser, upstream } = await startChats(stage,
			{ admit: () => status });

		await assertFailed(browser.begin("chat.send", {}),
			"the web app refuses this person");
		status = 500;
		await assertFailed(browser.begin("chat.send", {}),
			"the web app refuses this WebSocket");
		status = 0;
		const session = browser.begin("chat.send", {});
		session.followUp({});
		await until(() => upstream.upgrades.length === 3, "not asked");
		for (const socket of upstream.connections)
			socket.destroy();
		await assertFailed(session, "the web app cannot be reached");
		// Closed while it opens.
		const closed = browser.begin("chat.send", {});
		await until(() => upstream.upgrades.length === 4, "not asked");
		closed.act("close");
		assert.deepEqual(await closed.ended(),
			{ code: 1000, reason: "Normal close" });
		for (const socket of upstream.connections)
			socket.resume();
		await until(() => [...upstream.connections].every((socket) =>
			socket.readableEnded), "sockets left");
		await upstream.close();
		await assertFailed(browser.begin("chat.send", {}),
			"the web app cannot be reached");
	});

	scenario("a JWT that the upstream refuses is not used again",
		async (stage) => {
			const tokens = [];
			const { browser, upstream } = await startChats(stage, {
				admit: ({ url }) => tokens.push(url) === 1 ? 401 : 101 });

			await assertFailed(browser.begin("chat.send", {}),
				"the web app refuses this person");
			await browser.open(upstream);
			assert.equal(tokens.length, 2);
		});

	scenario("an upstream that breaks the protocol", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const rows = [
			[frame(0x81, Buffer.from([0xff, 0xfe]))],
			[frame(0x81, Buffer.from([0xed, 0xa0, 0x80]))],
			[frame(0xc1, "x")], [frame(0x80, "x")], [frame(0x83, "x")],
			[Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x20])],
			[Buffer.concat([frame(0x01, "x"), frame(0x81, "x")])],
		];

		await eachRow(rows, async ([bytes]) => {
			const session = await browser.open(upstream);
			session.ws.socket.write(bytes);
			assert.deepEqual(await session.ended(), LOST);
			assert.equal(session.chunks.items.length, 0);
		});
		// In fragments and with pings in between it is a message as any.
		const session = await browser.open(upstream);
		for (const bytes of [frame(0x01, "{\"a\""), frame(0x89, "p"),
			frame(0x00, ""), frame(0x00, ":"), frame(0x80, "7}")])
			session.ws.socket.write(bytes);
		assert.deepEqual(await session.chunk(), { a: 7 });
	});

	scenario("a message of 100 MB, and then others", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const session = await browser.open(upstream);

		session.ws.send(`"${"x".repeat(100 * MIB)}"`);
		session.ws.send("1");
		assert.deepEqual(await session.chunks.next(undefined, 60000),
			TOO_LONG);
		assert.equal(await session.chunk(), 1);
		session.ws.send(Buffer.alloc(100 * MIB));
		session.ws.send("2");
		assert.deepEqual(await session.chunks.next(undefined, 60000),
			TOO_LONG);
		assert.equal(await session.chunk(), 2);
		// What fits as it is may not, once it is escaped.
		session.ws.send("\u0001".repeat(10 * MIB));
		session.ws.send(`["${"y".repeat(10 * MIB)}"]`);
		assert.deepEqual(await session.chunk(), TOO_LONG);
		assert.equal((await session.chunk())[0].length, 10 * MIB);
	});

	scenario("an upstream that floods waits for the orchestrator",
		async (stage) => {
			const { browser, connection, upstream } = await startChats(stage);
			const session = await browser.open(upstream);
			const text = JSON.stringify("z".repeat(10000));
			let sent = 0;

			connection.socket.pause();
			const flood = setInterval(() => {
				for (let i = 0; i < 100 && sent < 20000; i++, sent++)
					session.ws.send(text);
			}, 1);
			await until(() => sent === 20000, "not sent", 60000);
			clearInterval(flood);
			assert.ok(session.ws.bufferedAmount > 100 * MIB,
				`${session.ws.bufferedAmount}`);
			connection.socket.resume();
			for (let i = 0; i < 20000; i++)
				await session.chunks.next(undefined, 60000);
			assert.equal((await settle(browser)).status, 200);
		});

	scenario("an upstream that does not read", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const session = await browser.open(upstream);

		session.ws.socket.pause();
		const d = "x".repeat(4 * MIB);
		for (let i = 0; i < 6; i++)
			session.followUp({ d });
		await assertFailed(session, "too much at once", true);
		const other = await browser.open(upstream);
		other.ws.socket.pause();
		for (let i = 0; i < 2000; i++)
			other.followUp({ d: "x".repeat(20000) });
		await other.ended();
		await settle(browser);
		await assertFailed(other, "too much at once", true);
	});

	scenario("an upstream that does not say goodbye", async (stage) => {
		const { browser, upstream } = await startChats(stage,
			{ text: "limits {\n\tchat sessions 4\n}\n" });

		for (let i = 0; i < 40; i++) {
			const session = browser.begin("chat.send", {});
			const ws = await upstream.sockets.next();
			await ws.received.next();
			ws.socket.pause();
			session.act("close");
			await session.ended();
			ws.socket.on("end", () => ws.terminate());
			assert.equal(session.errors.items.length, 0);
		}
		for (const ws of upstream.connections)
			ws.resume();
		await until(() => upstream.open === 0, "sockets left");
	});

	scenario("what browsers should not say", async (stage) => {
		const { browser, connection, upstream } = await startChats(stage);
		const session = await browser.open(upstream);

		// Members twice, wrong types: the last word of each counts.
		connection.send("{\"type\":\"user_request\",\"request_id\":" +
			`"${session.id}","action":"chat.send",` +
			"\"payload\":{\"type\":\"a\",\"type\":{},\"n\":1,\"n\":2}}");
		assert.deepEqual(JSON.parse(await session.ws.received.next()),
			{ type: "chat.send", n: 2 });
		for (const payload of [[], 7, "x", true])
			session.act("chat.send", payload);
		for (let i = 0; i < 4; i++)
			assert.equal((await session.errors.next()).message,
				"payload is not an object");
		// A tunnel under the same id.
		session.act("tunnel.open", { path: "/ws", handle: "x" });
		assert.equal((await session.errors.next()).message,
			"that request_id is in use");
		// And one under the id of a tunnel.
		const page = new Page(connection);
		page.handle = await makeHandle({ connection });
		const tunnel = page.open("/ws");
		await tunnel.opened;
		const other = browser.begin("chat.send", {}, tunnel.id);
		other.followUp({});
		assert.deepEqual([(await other.errors.next()).message,
			(await other.errors.next()).message],
		["that request_id is in use", "no such session"]);
		assert.equal(other.ends.length, 0);
		// 8 MiB, and deep.
		const d = "x".repeat(8 * MIB - 1000);
		session.act("chat.send", { d });
		assert.equal(JSON.parse(await session.ws.received.next()).d, d);
		let deep = {};
		for (let i = 0; i < 60; i++)
			deep = { deep };
		session.act("chat.send", deep);
		assert.deepEqual(JSON.parse(await session.ws.received.next()),
			{ ...deep, type: "chat.send" });
		session.ws.send("1");
		assert.equal(await session.chunk(), 1);
		assert.equal(session.ends.length, 0);
	});

	scenario("two that begin at once with one id are one", async (stage) => {
		const got = new Queue("messages");
		const { browser, upstream } = await startChats(stage, {
			connected: (ws) => ws.on("message", (data) =>
				got.push(JSON.parse(data))) });

		for (let round = 0; round < 20; round++) {
			const session = browser.begin("chat.send", { n: 1 })
				.act("claude-command", { n: 2 }).act("close")
				.act("chat.send", { n: 3 });
			const first = await session.ended();
			assert.equal(first.reason, "Normal close");
			assert.deepEqual(await got.next(({ n }) => n === 3),
				{ n: 3, type: "chat.send" });
			session.act("close");
			await until(() => session.ends.length === 2, "no second end");
		}
		await until(() => upstream.open === 0, "sockets left");
	});

	scenario("proxyd dies", async (stage) => {
		const { browser, connection, tetherd, upstream } =
			await startChats(stage);
		const session = await browser.open(upstream);

		session.followUp({ n: 1 });
		await session.ws.received.next();
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		assert.equal((await session.ended()).error, true);
		await session.ws.closed;
		const after = new Session(connection, "after");
		after.act("chat.send", {});
		const ws = await upstream.sockets.next();
		ws.send("1");
		assert.equal(await after.chunk(), 1);
		assert.equal(session.ends.length, 1);
	});
});
