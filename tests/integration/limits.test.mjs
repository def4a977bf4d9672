// Limits that the configuration sets, and changes.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, makeHandle, Page, startPage } from "./lib/tunnel.mjs";
import { startRawUpstream } from "./lib/upstream.mjs";

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

	scenario("each can be set, and is shown", async (stage) => {
		// In the units of show limits: the setting, and what is shown.
		const rows = [
			["requests", "17", 17], ["request time", "18s", 18],
			["connect time", "4s", 4], ["body", "19M", 19 << 20],
			["memory", "20M", 20 << 20], ["message", "21M", 21 << 20],
			["tunnels", "22", 22], ["tunnels per user", "23", 23],
			["chat sessions", "24", 24], ["chat idle time", "25m", 1500],
			["headers", "26", 26], ["header size", "27K", 27 << 10],
			["json depth", "28", 28], ["requests per second", "29", 29],
			["tunnels per minute", "30", 30],
			["failures per minute", "31", 31],
		];
		const conf = await startConf(stage, "");
		const { tetherd } = await startInstance(stage, { args: conf.args });
		const shown = async () => JSON.parse((await tetherctl(tetherd, "-j",
			"show", "limits")).stdout).filter((row) => row.adjustable);

		const before = await shown();
		assert.deepEqual(before.map(({ limit }) => limit).sort(),
			rows.map(([name]) => name).sort());
		await conf.change(limits(...rows.map(([name, value]) =>
			`${name} ${value}`)), tetherd);
		assert.deepEqual((await shown()).map(({ limit, value }) =>
			[limit, value]).sort(),
		rows.map(([name, , value]) => [name, value]).sort());
		await conf.change("", tetherd);
		assert.deepEqual(await shown(), before);
	});

	scenario("how deep JSON may be nested", async (stage) => {
		const conf = await startConf(stage, "");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args,
			handle: (req, res) => res.end(req.url),
		});
		const IGNORED = "message that is not a JSON object ignored";
		const text = (inner) => '{"type":"http_proxy_request",' +
			'"request_id":"deep","method":"GET","path":"/",' +
			`"headers":[["a","b"]],"x":${inner}}`;
		// In each other, with the object around them.
		const nested = (n) =>
			"[".repeat(n - 1) + "0" + "]".repeat(n - 1);
		const assertTaken = async (depth) => {
			const { status } = await connection.request(
				{ x: JSON.parse(nested(depth)) });
			assert.equal(status, 200);
		};
		const assertIgnored = async (inner) => {
			const from = tetherd.lines.length;
			connection.send(text(inner));
			await tetherd.line(IGNORED, { from });
		};

		await assertTaken(64);
		await assertIgnored(nested(65));
		await conf.change(limits("json depth 8"), tetherd);
		await assertTaken(8);
		await assertIgnored(nested(9));
		await conf.change(limits("json depth 1024"), tetherd);
		await assertTaken(1024);
		await assertIgnored(nested(1025));
		await conf.change("", tetherd);
		await assertTaken(64);

		// What others read, and what nobody does.
		for (const inner of ["NaN", "'a'", "01", "1,", "\"\t\"",
			nested(100000)])
			await assertIgnored(inner);
		assert.equal((await connection.request()).status, 200);
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("header fields of requests and answers", async (stage) => {
		const conf = await startConf(stage, "");
		// So many fields of so many bytes, as the path says.
		const upstream = (s) => startRawUpstream(s, (socket, head) => {
			const [, count, size] = head.match(/^GET \/(\d+)\/(\d+) /);
			const field = `a: ${"v".repeat(size - 3)}\r\n`;
			const body = String(head.length);
			socket.end("HTTP/1.1 200 OK\r\n" +
				`Content-Length: ${body.length}\r\n` +
				`${field.repeat(count)}\r\n${body}`);
		});
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args, upstream });
		const answers = async (count, size) => (await connection.request(
			{ path: `/${count}/${size}` })).status;
		const asks = async (count, size) => (await connection.request({
			path: "/0/3",
			headers: Array(count).fill(["a", "v".repeat(size - 1)]),
		})).status;

		// Content-Length is one of them, and 17 bytes.
		assert.equal(await answers(255, 10), 200);
		assert.equal(await answers(256, 10), 502);
		assert.equal(await answers(2, 65536 - 10), 200);
		assert.equal(await answers(2, 65536), 502);
		assert.equal(await asks(256, 10), 200);
		assert.equal(await asks(257, 10), 400);
		assert.equal(await asks(2, 65536), 200);
		assert.equal(await asks(2, 65537), 400);

		await conf.change(limits("headers 16", "header size 4K"), tetherd);
		assert.equal(await answers(15, 10), 200);
		assert.equal(await answers(16, 10), 502);
		assert.equal(await answers(2, 2030), 200);
		assert.equal(await answers(2, 2048), 502);
		assert.equal(await asks(16, 10), 200);
		assert.equal(await asks(17, 10), 400);
		assert.equal(await asks(2, 2048), 200);
		assert.equal(await asks(2, 2049), 400);

		await conf.change(limits("headers 4096", "header size 1M"), tetherd);
		assert.equal(await answers(4095, 20), 200);
		assert.equal(await answers(4096, 20), 502);
		assert.equal(await answers(3, 90 * 1024), 200);
		// libcurl takes no longer lines, and no more of them.
		assert.equal(await answers(1, 110 * 1024), 502);
		assert.equal(await answers(4, 90 * 1024), 502);
		assert.equal(await asks(4096, 20), 200);
		assert.equal(await asks(4097, 20), 400);
		assert.equal(await asks(2, 500 * 1024), 200);
		assert.equal(await asks(2, 512 * 1024 + 1), 400);
		assert.equal(tetherd.all("proxyd: started").length, 1);
	});
});
