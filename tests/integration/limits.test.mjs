// Limits that the configuration sets, and changes.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, makeHandle, Page, startPage } from "./lib/tunnel.mjs";

const limits = (...lines) => `limits {\n\t${lines.join("\n\t")}\n}\n`;

async function assertOpens(tunnel) {
	const data = await deadline(tunnel.opened, 5000, "not open");
	assert.equal(data.t, "open", JSON.stringify(data));
}

async function assertRefused(tunnel, reason) {
	const data = await deadline(tunnel.closed, 5000, "not refused");
	assert.equal(data.reason, reason);
}

describe("limits", { concurrency: 2 }, () => {
	scenario("tunnels, of all and of each", async (stage) => {
		const conf = await startConf(stage,
			limits("tunnels 3", "tunnels per user 2"));
		const instance = await startPage(stage, {
			args: conf.args, connected: echo });
		const { page, tetherd } = instance;
		const other = new Page(instance.connection);
		other.handle = await makeHandle(instance, 9001, "hubot");
		const FULL = "503 too many tunnels";
		const MINE = "503 too many tunnels of one person";

		const first = page.open("/ws");
		await assertOpens(first);
		await assertOpens(page.open("/ws"));
		await assertRefused(page.open("/ws"), MINE);
		await assertOpens(other.open("/ws"));
		await assertRefused(other.open("/ws"), FULL);

		// Less than there are: those live on.
		await conf.change(limits("tunnels 1"), tetherd);
		await assertRefused(other.open("/ws"), FULL);
		await first.send("still there");
		assert.equal(await first.messages.next(), "still there");
		await conf.change(limits("tunnels 0"), tetherd);
		await assertRefused(page.open("/ws"), FULL);
		await conf.change(limits("tunnels per user 0"), tetherd);
		await assertRefused(other.open("/ws"), MINE);
		await conf.change("", tetherd);
		await assertOpens(page.open("/ws"));
		await assertOpens(other.open("/ws"));
		assert.equal(tetherd.all("proxyd: started").length, 1);
	});

	scenario("requests, their time and size", async (stage) => {
		const conf = await startConf(stage, limits("body 64K"));
		const waiting = [];
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args,
			handle: (req, res) => {
				res.setHeader("Content-Type", "text/plain");
				if (req.url === "/slow")
					waiting.push(res);
				else
					res.end("x".repeat(Number(req.url.slice(1))));
			},
		});
		const status = async (path) =>
			(await connection.request({ path })).status;

		assert.equal(await status("/60000"), 200);
		assert.equal(await status("/70000"), 502);
		await conf.change(limits("body 128K"), tetherd);
		assert.equal(await status("/70000"), 200);

		await conf.change(limits("request time 300ms"), tetherd);
		assert.equal(await status("/slow"), 504);

		// One at a time: what is under way is not disturbed.
		await conf.change("", tetherd);
		waiting.length = 0;
		const slow = [status("/slow"), status("/slow")];
		assert.equal(await status("/1"), 200);
		await conf.change(limits("requests 1", "request time 300ms"),
			tetherd);
		assert.equal(await status("/1"), 503);
		await new Promise((resolve) => setTimeout(resolve, 500));
		for (const res of waiting)
			res.end();
		assert.deepEqual(await Promise.all(slow), [200, 200]);
		assert.equal(await status("/1"), 200);
	});

	scenario("memory, and messages of the protocol", async (stage) => {
		const conf = await startConf(stage, limits("memory 1M", "message 2M"));
		const { connection, tetherd } = await startInstance(
			stage, {
				args: conf.args,
				handle: (req, res) => {
					res.setHeader("Content-Type", "text/plain");
					res.end("x".repeat(Number(req.url.slice(1))));
				},
			});
		const status = async (over, path, body) =>
			(await over.request({ path, body })).status;

		assert.equal(await status(connection, "/1", "y".repeat(1100000)), 503);
		await conf.change(limits("memory 8M", "message 2M"), tetherd);
		assert.equal(await status(connection, "/1", "y".repeat(1100000)), 200);

		assert.equal(await status(connection, "/2000000"), 200);
		assert.equal(await status(connection, "/2100000"), 502);
	});
});
