// tether-hub, between scripted instances and browsers.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { refusal, startBrowser, startPeer, startPending }
	from "./lib/hub-peers.mjs";
import { startAll, startHub, TOKEN } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { startUpstream } from "./lib/upstream.mjs";

// Ask through the hub, and let the peer answer.
async function ask(hub, peer, answer, options) {
	const pending = request(`${hub.url}/clients/a/proxy/x`, options);
	const asked = await peer.receive("http_proxy_request");
	peer.send({
		type: "http_proxy_response",
		request_id: asked.request_id,
		status: 200,
		headers: [],
		body: "",
		...answer,
	});
	return [await pending, asked];
}

describe("tether-hub", { concurrency: 4 }, () => {
	scenario("pages of its own", async (stage) => {
		const hub = await startHub(stage);
		await startPeer(stage, hub, "a", { hostname: "<b>host" });

		const health = await request(`${hub.url}/health`);
		assert.equal(health.json.status, "ok");
		const page = await request(`${hub.url}/`);
		assert.match(page.headers["content-type"], /^text\/html/);
		const { json } = await request(`${hub.url}/clients`);
		assert.equal(json.length, 1);
		assert.equal(json[0].client_id, "a");
		assert.equal(json[0].status, "idle");
		const info = await request(`${hub.url}/api/clients/a/ws-info`);
		assert.equal(info.json.connected, true);
		assert.equal((await request(
			`${hub.url}/api/clients/b/ws-info`)).status, 404);
		assert.equal((await request(`${hub.url}/nope`)).status, 404);
	});

	scenario("who may connect", async (stage) => {
		const hub = await startHub(stage);
		const to = (query) => refusal(stage, `${hub.connectUrl}?${query}`);
		assert.equal(await to("token=ao_1_wrong&client_id=a"), 401);
		assert.equal(await to("client_id=a"), 401);
		assert.equal(await to(`token=${TOKEN}x&client_id=a`), 401);
		assert.notEqual(await refusal(stage,
			`${hub.connectUrl}?type=browser`,
			{ origin: "http://evil.example" }), 101);
	});

	scenario("what browsers get to know", async (stage) => {
		const hub = await startHub(stage);
		const browser = await startBrowser(stage, hub);
		const peer = await startPeer(stage, hub, "a");

		assert.equal((await browser.receive("client_update"))
			.client.client_id, "a");
		browser.send({ type: "get_clients" });
		assert.deepEqual((await browser.receive("client_list"))
			.clients.map((c) => c.client_id), ["a"]);
		browser.send({ type: "connect_client", client_id: "a" });
		assert.equal((await browser.receive("connect_response"))
			.success, true);
		peer.send({ type: "status_update", client_id: "a",
			status: "busy" });
		assert.equal((await browser.receive("client_update"))
			.client.status, "busy");
		peer.ws.terminate();
		assert.equal((await browser.receive("client_disconnected"))
			.client_id, "a");
	});

	scenario("a browser talks to an instance", async (stage) => {
		const hub = await startHub(stage);
		const browser = await startBrowser(stage, hub);
		const other = await startBrowser(stage, hub);
		const peer = await startPeer(stage, hub, "a");
		const forward = (b, members) => b.send({
			type: "forward_to_client", client_id: "a",
			request_id: "r1", action: "do", payload: { n: 1 },
			...members });

		forward(browser);
		assert.deepEqual(await peer.receive("user_request"), {
			type: "user_request", request_id: "r1", action: "do",
			payload: { n: 1 } });
		forward(other); // the id is the first one's
		assert.equal((await other.receive("forwarded_response"))
			.complete, true);
		for (const data of [{ t: "ü" }, [1], "text"]) {
			peer.send({ type: "response_chunk", request_id: "r1", data });
			assert.deepEqual(await browser.receive("forwarded_response"),
				{ type: "forwarded_response", client_id: "a",
					request_id: "r1", data, complete: false });
		}
		peer.send({ type: "response_complete", request_id: "r1",
			data: { code: 1000 } });
		assert.equal((await browser.receive("forwarded_response"))
			.complete, true);
		forward(browser, { client_id: "nobody" });
		assert.equal((await browser.receive("forwarded_response"))
			.data.error, true);
		assert.equal(other.messages.items.filter((m) =>
			m.type === "forwarded_response").length, 0);
	});

	scenario("an answer, as it was sent", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, "a");
		const bytes = randomBytes(100000);

		const [answer] = await ask(hub, peer, {
			status: 206,
			headers: [["content-type", "image/png"],
				["set-cookie", "a=1"], ["set-cookie", "b=2"],
				["x-orch-encoding", "base64"]],
			body: bytes.toString("base64"),
		});
		assert.equal(answer.status, 206);
		assert.ok(answer.body.equals(bytes));
		assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
		assert.equal(answer.headers["x-orch-encoding"], undefined);
		const [redirect] = await ask(hub, peer, {
			status: 302, headers: [["location", "/clients/a/proxy/y"]] });
		assert.equal(redirect.status, 302);
		assert.equal(redirect.headers.location, "/clients/a/proxy/y");
	});

	scenario("an answer, as Duratii passes it on", async (stage) => {
		const hub = await startHub(stage, ["--duratii"]);
		const peer = await startPeer(stage, hub, "a");

		assert.equal(peer.registered.capabilities, undefined);
		const [answer] = await ask(hub, peer, {
			status: 304,
			headers: [["x-a", "1"], ["x-a", "2"],
				["x-orch-encoding", "base64"]],
			body: "AAEC",
		});
		assert.equal(answer.status, 200);
		assert.equal(answer.text, "AAEC");
		assert.equal(answer.headers["x-a"], "2");
		const [missing] = await ask(hub, peer, { status: 404 });
		assert.equal(missing.status, 404);
	});

	scenario("what an instance is asked", async (stage) => {
		const hub = await startHub(stage, ["--user", "7:ada"]);
		const peer = await startPeer(stage, hub, "a");

		const [, asked] = await ask(hub, peer, {}, {
			method: "POST",
			body: "bödy",
			headers: { "X-Orchestrator-User-Id": "1", "TE": "trailers",
				"Connection": "x-named", "X-Named": "1",
				"X-Stays": "1" },
		});
		assert.equal(asked.method, "POST");
		assert.equal(asked.path, "/x");
		assert.equal(asked.body, "bödy");
		assert.equal(asked.proxy_base, "/clients/a/proxy");
		const names = asked.headers.map(([n]) => n.toLowerCase());
		for (const name of ["host", "te", "connection", "x-named"])
			assert.ok(!names.includes(name), name);
		assert.ok(names.includes("x-stays"));
		assert.deepEqual(asked.headers.filter(([n]) =>
			n.startsWith("X-Orchestrator-")),
		[["X-Orchestrator-User-Id", "7"],
			["X-Orchestrator-Username", "ada"]]);
		assert.deepEqual(names.filter((n) =>
			n.startsWith("x-orchestrator-user-id")).length, 1);
	});

	scenario("answers that are malformed", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, "a");
		for (const answer of [
			{ status: "200" }, { status: 99 }, { status: 1000 },
			{ status: undefined }, { status: 1e9 }, { status: -1 },
			{ headers: "x" }, { headers: [["a"]] },
			{ headers: [["a", 1]] }, { body: 7 }, { body: undefined },
			{ headers: [["x", "y\r\nSet-Cookie: evil=1"]] },
			{ headers: [["x\r\nSet-Cookie: evil=1", "y"]] },
			{ headers: [["x-orch-encoding", "base64"]], body: "%%%" },
			{ headers: [["content-length", "5"]], body: "longer than 5" },
			{ headers: [["transfer-encoding", "chunked"]], body: "x" },
		]) {
			const [got] = await ask(hub, peer, answer);
			assert.equal(got.headers["set-cookie"], undefined);
			assert.ok(got.status >= 200 && got.status < 600);
		}
		peer.send({ type: "http_proxy_response", request_id: "none",
			status: 200, headers: [], body: "" });
		for (const text of ["", "{", "[]", "{}", "{\"type\":1}",
			"{\"type\":\"http_proxy_response\"}",
			"{\"type\":\"response_chunk\"}"])
			peer.send(text);
		const [last] = await ask(hub, peer, { body: "fine" });
		assert.equal(last.text, "fine");
	});

	scenario("an instance that is away, or leaves", async (stage) => {
		const hub = await startHub(stage);
		const path = `${hub.url}/clients/a/proxy/x`;
		assert.equal((await request(path)).status, 503);

		const peer = await startPeer(stage, hub, "a");
		const pending = request(path);
		const asked = await peer.receive("http_proxy_request");
		peer.ws.terminate();
		const next = await startPeer(stage, hub, "a");
		next.send({ type: "http_proxy_response",
			request_id: asked.request_id, status: 200, headers: [],
			body: "late" });
		assert.equal((await pending).text, "late");
	});

	scenario("an instance that does not answer: 504 after 30 s",
		async (stage) => {
			const hub = await startHub(stage);
			await startPeer(stage, hub, "a");
			const start = Date.now();
			const { status } =
				await request(`${hub.url}/clients/a/proxy/x`);
			assert.equal(status, 504);
			const took = Date.now() - start;
			assert.ok(took > 29000 && took < 32000, `${took} ms`);
		});

	scenario("the dashboard disconnects an instance", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub, "a");
		const answer = await request(`${hub.url}/clients/a/disconnect`,
			{ method: "POST" });
		assert.equal(answer.status, 200);
		assert.equal((await peer.receive("error")).message,
			"Disconnected by user");
		assert.equal((await peer.closed).code, 1000);
		assert.deepEqual((await request(`${hub.url}/clients`)).json, []);
	});

	scenario("claiming a pending instance", async (stage) => {
		const hub = await startHub(stage, ["--user", "7:ada"]);
		const list = async () =>
			(await request(`${hub.url}/api/pending`)).json;
		const mine = await startPending(stage, hub, "user=Ada,bob");
		await startPending(stage, hub, "user=carol");
		mine.send({ type: "pending_register", pending_id: "p",
			hostname: "box", project: "/p", platform: "linux" });
		assert.equal((await mine.receive("pending_registered"))
			.success, true);
		const [pending, ...rest] = await list();
		assert.deepEqual(rest, []);
		assert.equal(pending.hostname, "box");

		const claim = `${hub.url}/api/pending/${pending.pending_id}/claim`;
		assert.equal((await request(claim, { method: "POST" })).status,
			200);
		const { token, client_id } = await mine.receive("token_granted");
		assert.equal(client_id, "box");
		assert.deepEqual(await list(), []);
		assert.equal((await request(claim, { method: "POST" })).status,
			404);
		assert.equal(await refusal(stage, hub.connectUrl +
			`?client_id=box&token=${token}`).catch(() => 101), 101);
	});
});

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
			res.on("close", () => {
				upstream.left = true;
			});
			if (req.url !== "/hang")
				res.end("ok");
		});
		const { hub } = await startAll(stage, { upstream });
		await assert.rejects(request(hub.url + hub.base + "/hang",
			{ timeout: 300 }));
		await upstream.requests.next();
		assert.equal((await request(hub.url + hub.base + "/")).text, "ok");
		await until(() => upstream.left, "still waiting", 35000);
	});
});
