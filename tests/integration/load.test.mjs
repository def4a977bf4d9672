// Large and many.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { setImmediate } from "node:timers/promises";

import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { Queue } from "./lib/time.mjs";

const MIB = 1024 * 1024;
const AT_ONCE_MAX = 256;
const MESSAGE_MAX = 32 * MIB;

describe("load", { concurrency: 2 }, () => {
	for (const [type, encoding] of [["text/plain", null],
		["application/octet-stream", "base64"]])
		scenario(`20 MB of ${type}`, async (stage) => {
			const { connection } = await startInstance(stage);
			const bytes = 20000000;
			const answer = await connection.request({
				path: "/api/big",
				query: `bytes=${bytes}&type=${type}`,
			});
			assert.equal(answer.status, 200);
			assert.equal(answer.header("x-orch-encoding"), encoding);
			assert.equal(answer.bytes.length, bytes);
		});

	scenario("over the limit: a small 502 for that one only",
		async (stage) => {
			const { connection, orchestrator } = await startInstance(stage);
			const upstreamQuery = (bytes, type) =>
				`bytes=${bytes}&type=${type}`;
			for (const [path, query] of [
				["/api/big", upstreamQuery(40 * MIB, "text/plain")],
				["/api/big", upstreamQuery(MESSAGE_MAX, "text/plain")],
				["/api/big", upstreamQuery(26 * MIB, "image/png")],
				["/api/big", upstreamQuery(2000000000, "image/png")],
			]) {
				const answer = await connection.request({ path, query });
				assert.equal(answer.status, 502, query);
				assert.ok(answer.body.length < 1000);
				assert.equal(typeof answer.json.error, "string");
			}
			assert.equal((await connection.request()).status, 200);
			assert.equal(orchestrator.upgrades.length, 1);
		});

	scenario("no message is larger than orchestrators take",
		async (stage) => {
			let body;
			const { connection } = await startInstance(stage, {
				handle: (req, res) => {
					res.setHeader("Content-Type", "text/plain");
					res.end(body);
				},
			});
			let largest = 0;
			connection.ws.on("message", (data) => {
				largest = Math.max(largest, data.length);
			});
			for (const [size, byte] of [[20, "\""], [6, "\u0001"],
				[31, "x"], [31.99, "x"], [32, "x"]]) {
				body = Buffer.alloc(size * MIB, byte);
				const answer = await connection.request();
				if (answer.status === 200)
					assert.ok(answer.body === body.toString());
				else
					assert.equal(answer.status, 502);
			}
			assert.ok(largest > 30 * MIB && largest <= MESSAGE_MAX,
				`${largest} bytes`);
		});

	scenario("300 requests at once: 256 are served, 44 told to wait",
		async (stage) => {
			const held = [];
			let free = false;
			const { connection, upstream } = await startInstance(stage, {
				handle: (req, res) => {
					if (free)
						res.end("free");
					else
						held.push(res);
				},
			});
			const statuses = new Queue("answers");
			for (let i = 0; i < 300; i++)
				connection.request({
					path: `/${i}`,
					headers: identity(1 + i % 10, `user${i % 10}`),
				}).then(({ status }) => statuses.push(status));
			for (let i = 0; i < 300 - AT_ONCE_MAX; i++)
				assert.equal(await statuses.next(), 503);
			for (let i = 0; i < AT_ONCE_MAX; i++)
				await upstream.requests.next();
			free = true;
			for (const res of held)
				res.end("held");
			for (let i = 0; i < AT_ONCE_MAX; i++)
				assert.equal(await statuses.next(), 200);
			assert.equal((await connection.request()).status, 200);
			assert.equal(connection.surplus.length, 0);
		});

	scenario("a large answer lets small ones pass", async (stage) => {
		let finish;
		const { connection } = await startInstance(stage, {
			handle(req, res) {
				res.setHeader("content-type", "text/plain");
				if (req.url !== "/big")
					return res.end("small");
				res.write(Buffer.alloc(12 * MIB, "a"));
				finish = () => res.end(Buffer.alloc(12 * MIB, "a"));
			},
		});
		const large = connection.request({ path: "/big" });
		while (finish === undefined)
			await setImmediate();
		// Half of it is there; small ones come meanwhile.
		const small = await Promise.all(Array.from({ length: 8 },
			() => connection.request({ path: "/small" })));
		for (const { body } of small)
			assert.equal(body, "small");
		finish();
		assert.equal((await large).bytes.length, 24 * MIB);
	});
});
