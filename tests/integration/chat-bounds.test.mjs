// How many chat sessions there may be, for how long, and what they leave.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe } from "node:test";

import { settle, startChats } from "./lib/chat.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline, until } from "./lib/time.mjs";

const NORMAL = { code: 1000, reason: "Normal close" };
const SANITIZED = (process.env.TETHERD_BUILD ?? "").includes("address");

const limits = (text) => `limits {\n\t${text}\n}\n`;
const MAY_LOOK = process.getuid() === 0;

// How many a process has; 0 where only root may look.
const descriptors = (pid) =>
	MAY_LOOK ? readdirSync(`/proc/${pid}/fd`).length : 0;
const memoryKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(
	readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

describe("bounds of chat sessions", { concurrency: 2 }, () => {
	scenario("64 of them, and one more", async (stage) => {
		const { browser, upstream } = await startChats(stage);
		const sessions = [];

		for (let i = 0; i < 64; i++)
			sessions.push(await browser.open(upstream));
		const more = browser.begin("chat.send", {});
		assert.deepEqual(await more.ended(),
			{ error: true, message: "too many chat sessions" });
		assert.equal((await more.errors.next()).message,
			"too many chat sessions");
		assert.equal(upstream.open, 64);
		sessions[7].act("close");
		await sessions[7].ended();
		await browser.open(upstream);
		for (const [i, { ws, chunks }] of sessions.entries()) {
			if (i === 7)
				continue;
			ws.send(String(i));
			assert.equal(await chunks.next(), i);
		}
	});

	scenario("none may be had", async (stage) => {
		const { browser, upstream } = await startChats(stage,
			{ text: limits("chat sessions 0") });

		assert.equal((await browser.begin("chat.send", {}).ended()).message,
			"too many chat sessions");
		assert.equal(upstream.upgrades.length, 0);
	});

	scenario("idle ones end", async (stage) => {
		const { browser, upstream } = await startChats(stage,
			{ text: limits("chat idle time 2s") });
		const idle = await browser.open(upstream, "chat.subscribe");
		const talks = await browser.open(upstream, "chat.subscribe");
		const listens = await browser.open(upstream, "chat.subscribe");

		const chatter = setInterval(() => {
			talks.followUp({ type: "chat.subscribe" });
			listens.ws.send("1");
		}, 500);
		stage.atEnd(() => clearInterval(chatter));
		assert.deepEqual(await idle.ended(),
			{ code: 1000, reason: "Idle timeout" });
		assert.equal((await idle.ws.closed).code, 1000);
		await new Promise((resolve) => setTimeout(resolve, 2500));
		assert.equal(talks.ends.length + listens.ends.length, 0);
		clearInterval(chatter);
		await Promise.all([talks.ended(), listens.ended()]);
	});

	scenario("1000 one after the other leave nothing", async (stage) => {
		const { browser, tetherd, upstream } = await startChats(stage);
		const pid = tetherd.childPid("proxyd");
		const some = async (count) => {
			for (let i = 0; i < count; i++) {
				const session = await browser.open(upstream, "chat.subscribe",
					{ text: "x".repeat(1000) });
				session.followUp({ n: i });
				session.ws.send(`{"n":${i}}`);
				assert.equal((await session.chunk()).n, i);
				if (i % 2 === 0)
					session.act("close");
				else
					session.ws.close();
				assert.deepEqual(await session.ended(), NORMAL);
				browser.connection.replies.delete(session.id);
			}
			await until(() => upstream.open === 0, "sockets left");
			await settle(browser);
		};

		await some(100);
		const before = [descriptors(pid), memoryKib(pid)];
		await some(1000);
		const after = [descriptors(pid), memoryKib(pid)];
		assert.equal(after[0], before[0], `${before} then ${after}`);
		if (!SANITIZED)
			assert.ok(after[1] - before[1] < 1024, `${before} then ${after}`);
		assert.match(String(before), /^\d+,\d+$/);
	});

	if (!MAY_LOOK)
		scenario("no descriptor is left", { skip: "only root may look" },
			() => {});

	scenario("300 messages at once, of which 256 may wait", async (stage) => {
		const { browser, upstream } = await startChats(stage,
			{ admit: () => 0 });
		const session = browser.begin("chat.send", {});

		await until(() => upstream.upgrades.length === 1, "not asked");
		for (let i = 0; i < 255; i++)
			session.followUp({});
		await settle(browser);
		assert.equal(session.ends.length, 0);
		session.followUp({});
		assert.deepEqual(await session.ended(),
			{ error: true, message: "too much at once" });
		assert.equal((await session.errors.next()).message,
			"too much at once");
		await deadline(until(() => upstream.connections.size <= 1,
			"sockets left"), 15000, "sockets left");
	});
});
