// Hub, tetherd and upstream together: what a browser sends arrives, and what
// the upstream answers comes back.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { startAll } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { startUpstream } from "./lib/upstream.mjs";

describe("everything together", { concurrency: 2 }, () => {
	scenario("bytes in both directions", async (stage) => {
		const hash = (bytes) =>
			createHash("sha256").update(bytes).digest("hex");
		const upstream = await startUpstream(stage, (req, res) => {
			res.setHeader("Content-Type", "application/octet-stream");
			res.setHeader("X-Sum", hash(req.body));
			res.end(req.body);
		});
		const { hub } = await startAll(stage, { upstream });
		for (const size of [0, 1, 2, 3, 65535, 65536, 65537, 5000000]) {
			const body = randomBytes(size);
			const answer = await request(hub.url + hub.base + "/p",
				{ method: "POST", body });
			assert.equal(answer.status, 200, `${size}`);
			assert.equal(answer.headers["x-sum"], hash(body), `${size}`);
			assert.ok(answer.body.equals(body), `${size}`);
		}
	});

	scenario("all methods", async (stage) => {
		const upstream = await startUpstream(stage, (req, res) =>
			res.writeHead(200, { "X-Method": req.method }).end());
		const { hub } = await startAll(stage, { upstream });
		for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE",
			"PATCH", "OPTIONS"])
			assert.equal((await request(hub.url + hub.base + "/",
				{ method })).headers["x-method"], method);
	});

	scenario("a browser that leaves", async (stage) => {
		const upstream = await startUpstream(stage, (req, res) => {
			if (req.url !== "/hang")
				res.end("ok");
		});
		const { hub } = await startAll(stage, { upstream });
		await assert.rejects(request(hub.url + hub.base + "/hang",
			{ timeout: 300 }));
		await upstream.requests.next();
		assert.equal((await request(hub.url + hub.base + "/")).text, "ok");
	});
});
