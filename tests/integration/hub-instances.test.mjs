// tether-hub and instances: what it asks of them, what becomes of their
// answers, and how they come and go.

import assert from "node:assert/strict";
import http from "node:http";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { Peer, instanceUrl, startBrowser, startPeer } from "./lib/hub-peer.mjs";
import { startHub } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const TEXT = [["content-type", "text/plain"]];

const header = (message, name) =>
	message.headers.filter(([n]) => n === name).map(([, v]) => v);

describe("requests for an instance", { concurrency: 4 }, () => {
	scenario("what an instance is sent", async (stage) => {
		const hub = await startHub(stage, ["--user", "583231:octocat"]);
		const peer = await startPeer(stage, hub, "box",
			{ capabilities: ["base64"] });
		assert.deepEqual(peer.registered, { type: "registered",
			success: true, message: "", capabilities: ["status", "base64"] });

		const cases = [
			["GET", "/", null, null],
			["HEAD", "/a", null, null],
			["OPTIONS", "/a/b?x=1&y=%2f", null, null],
			["GET", "//evil/?z", null, null],
			["POST", "/p", "{\"a\":\"\\\\\"}\n\t\u0001é", null],
			["PUT", "/p", Buffer.from([0xff, 0, 0x80]), "base64"],
			["PATCH", "/p?q", "x".repeat(200000), null],
			["DELETE", "/p", null, null],
		];
		for (const [method, path, body, encoding] of cases) {
			const answered = request(hub.url + hub.base + path, {
				method, body: body ?? undefined,
				headers: { "X-Orchestrator-Username": "root",
					"X-Test": "a \"b\"", "Connection": "x-gone",
					"X-Gone": "1" },
			});
			const asked = await peer.next("http_proxy_request");
			peer.answer(asked, 200, TEXT, "ok");
			assert.equal((await answered).status, 200);

			const [bare, query] = path.split("?");
			assert.equal(asked.method, method);
			assert.equal(asked.path, bare);
			assert.equal(asked.query, query ?? null);
			assert.equal(asked.proxy_base, hub.base);
			assert.equal(asked.body_encoding ?? null, encoding);
			assert.equal(asked.body, body === null ? null :
				encoding === null ? body : body.toString("base64"));
			assert.deepEqual(header(asked, "X-Orchestrator-User-Id"),
				["583231"]);
			assert.deepEqual(header(asked, "X-Orchestrator-Username"),
				["octocat"]);
			assert.deepEqual(header(asked, "x-test"), ["a \"b\""]);
			for (const name of ["host", "connection", "x-gone",
				"x-orchestrator-username"])
				assert.deepEqual(header(asked, name), []);
		}
	});

	scenario("what a browser is answered", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const get = async (method, status, headers, body) => {
			const answered = request(`${hub.url}${hub.base}/`, { method });
			peer.answer(await peer.next("http_proxy_request"), status,
				headers, body);
			return answered;
		};

		const tricky = "é \u2028 \u0000 \"\\/\b\f\n\r\t \ud83d\ude00 end";
		let answer = await get("GET", 200, TEXT, tricky);
		assert.equal(answer.text, tricky);
		assert.equal(answer.headers["content-type"], "text/plain");
		assert.equal(answer.headers["content-length"],
			`${Buffer.byteLength(tricky)}`);

		const bytes = Buffer.from(Array.from({ length: 70000 }, (_, i) => i));
		answer = await get("GET", 404, [["content-type", "image/png"],
			["X-Orch-Encoding", "base64"], ["Content-Length", "7"],
			["Transfer-Encoding", "chunked"]], bytes.toString("base64"));
		assert.equal(answer.status, 404);
		assert.ok(answer.body.equals(bytes));
		assert.equal(answer.headers["x-orch-encoding"], undefined);

		answer = await get("GET", 302, [["set-cookie", "a=1"],
			["set-cookie", "b=2"], ["location", "/x"]], "");
		assert.equal(answer.status, 302);
		assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);

		answer = await get("GET", 304, [["etag", "\"1\""]], "no body");
		assert.equal(answer.status, 304);
		assert.equal(answer.text, "");

		answer = await get("HEAD", 200, [["content-length", "123"]], "");
		assert.equal(answer.headers["content-length"], "123");

		answer = await get("GET", 200, [["x-split", "a\r\nX-Evil: 1"],
			["bad name", "x"], ["x-good", "1"], [1, 2], "no"], "");
		assert.equal(answer.headers["x-evil"], undefined);
		assert.equal(answer.headers["x-good"], "1");
	});

	scenario("answers that are malformed", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const cases = [
			{ status: "200", headers: [], body: "" },
			{ status: 200, body: "" },
			{ status: 200, headers: [] },
			{ status: 200, headers: [], body: 1 },
			{ status: 99, headers: [], body: "" },
			{ status: 600, headers: [], body: "" },
			{ status: 101, headers: [], body: "" },
			{ status: 200, headers: [["x-orch-encoding", "base64"]],
				body: "not base64" },
		];
		for (const c of cases) {
			const answered = request(`${hub.url}${hub.base}/`);
			const { request_id } = await peer.next("http_proxy_request");
			peer.send({ type: "http_proxy_response", request_id, ...c });
			assert.equal((await answered).status, 502, JSON.stringify(c));
			await peer.next("error");
		}
		// Nobody asked for these.
		peer.send({ type: "http_proxy_response", request_id: "nope",
			status: 200, headers: [], body: "" });
		peer.send({ type: "ping", client_id: "box" });
		assert.deepEqual(await peer.next("pong"),
			{ type: "pong", client_id: "box" });
	});

	scenario("a slow reader gets all of a large body", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const size = 20 << 20;
		const answered = new Promise((resolve, reject) =>
			http.get(`${hub.url}${hub.base}/`, resolve).on("error", reject));
		peer.answer(await peer.next("http_proxy_request"), 200, TEXT,
			"é".repeat(size / 2));
		const res = await answered;
		let read = 0;
		for await (const piece of res) {
			read += piece.length;
			await new Promise(setImmediate);
		}
		assert.equal(read, size);
	});

	scenario("paths, methods and instances that are not there",
		async (stage) => {
			const hub = await startHub(stage);
			const status = async (path, method) =>
				(await request(hub.url + path, { method })).status;
			assert.equal(await status("/clients/box/proxy/"), 503);
			assert.equal(await status("/clients//proxy/"), 404);
			assert.equal(await status("/clients/a%2fb/proxy/"), 404);
			assert.equal(await status("/clients/../proxy/"), 404);
			assert.equal(await status("/clients/box/proxyx"), 404);
			assert.equal(await status("/clients/box/disconnect"), 405);
			assert.equal(await status("/clients/box/disconnect", "POST"), 404);
			assert.equal(await status("/nope"), 404);
			assert.equal(await status("/api/clients/box/ws-info"), 404);
			assert.equal(await status("/ws/connect?type=browser"), 426);
			assert.equal(await status("/ws/pending?user=local"), 426);
			assert.equal(await status("/ws/pending"), 400);
			const answer = await request(`${hub.url}${hub.base}?a=b`);
			assert.equal(answer.status, 308);
			assert.equal(answer.headers.location, `${hub.base}/?a=b`);
		});

	scenario("as lossy as Duratii", async (stage) => {
		const hub = await startHub(stage, ["--duratii"]);
		const peer = await startPeer(stage, hub, "box",
			{ capabilities: ["base64"] });
		assert.equal(peer.registered.capabilities, undefined);
		for (const method of ["HEAD", "OPTIONS"])
			assert.equal((await request(`${hub.url}${hub.base}/`,
				{ method })).status, 405);

		let answered = request(`${hub.url}${hub.base}/`,
			{ method: "POST", body: Buffer.from([0x61, 0xff]) });
		let asked = await peer.next("http_proxy_request");
		assert.equal(asked.body, "a\ufffd");
		assert.equal(asked.body_encoding, undefined);
		peer.answer(asked, 302, [["x-orch-encoding", "base64"],
			["x-a", "1"], ["X-A", "2"]], "aGk=");
		let answer = await answered;
		assert.equal(answer.status, 200);
		assert.equal(answer.text, "aGk=");
		assert.equal(answer.headers["x-a"], "2");
		assert.equal(answer.headers["x-orch-encoding"], "base64");

		answered = request(`${hub.url}${hub.base}/`);
		peer.answer(await peer.next("http_proxy_request"), 404, [], "no");
		assert.equal((await answered).status, 404);
	});
});

describe("instances that come and go", { concurrency: 4 }, () => {
	scenario("refused", async (stage) => {
		const hub = await startHub(stage);
		for (const [url, status] of [
			[`${hub.connectUrl}?client_id=box`, 401],
			[instanceUrl(hub, "box", "wrong"), 401],
			[instanceUrl(hub, "a%2Fb"), 400],
		]) {
			const peer = new Peer(stage, url);
			await assert.rejects(peer.open, { status });
		}
		const peer = new Peer(stage, instanceUrl(hub, "box"));
		await peer.open;
		for (const bad of ["{", "[]", "1", "{\"type\":1}", "{}",
			"{\"type\":\"nope\"}", "{\"type\":\"ping\"}",
			"{\"type\":\"register\",\"client_id\":\"box\"}",
			"{\"type\":\"register\",\"client_id\":\"other\",\"metadata\":{}}",
			"{\"type\":\"response_chunk\",\"request_id\":\"1\",\"data\":1}",
			"[".repeat(1000), "{\"type\":\"ping\",\"a\":".repeat(1000),
			Buffer.from("binary")]) {
			peer.send(bad);
			await peer.next("error");
		}
		assert.deepEqual((await request(`${hub.url}/clients`)).json, []);
	});

	scenario("handed over to a new connection", async (stage) => {
		const hub = await startHub(stage);
		const first = await startPeer(stage, hub);
		const answered = [1, 2, 3].map(() =>
			request(`${hub.url}${hub.base}/`));
		const asked = [];
		for (const _ of answered)
			asked.push(await first.next("http_proxy_request"));
		first.ws.terminate();
		await hub.line("instance box left");
		assert.equal((await request(`${hub.url}${hub.base}/`)).status, 503);
		const second = await startPeer(stage, hub);
		for (const a of asked)
			second.answer(a, 200, TEXT, a.request_id);
		// Answered once: what follows changes nothing.
		second.answer(asked[0], 200, TEXT, "again");
		assert.deepEqual(
			(await Promise.all(answered)).map((a) => a.text).sort(),
			asked.map((a) => a.request_id).sort());
	});

	scenario("replaced while the old connection still stands",
		async (stage) => {
			const hub = await startHub(stage);
			const first = await startPeer(stage, hub);
			const answered = request(`${hub.url}${hub.base}/`);
			const asked = await first.next("http_proxy_request");
			const second = await startPeer(stage, hub);
			assert.equal((await first.closed).code, 4001);
			second.answer(asked, 200, TEXT, "second");
			assert.equal((await answered).text, "second");
			assert.equal(
				(await request(`${hub.url}/clients`)).json.length, 1);
		});

	scenario("another instance cannot answer", async (stage) => {
		const hub = await startHub(stage);
		const box = await startPeer(stage, hub);
		const other = await startPeer(stage, hub, "other");
		const answered = request(`${hub.url}${hub.base}/`);
		const asked = await box.next("http_proxy_request");
		other.answer(asked, 200, TEXT, "other");
		other.send({ type: "ping", client_id: "other" });
		await other.next("pong");
		box.answer(asked, 200, TEXT, "box");
		assert.equal((await answered).text, "box");
	});

	scenario("a clean close fails what is outstanding", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const answered = request(`${hub.url}${hub.base}/`);
		await peer.next("http_proxy_request");
		peer.ws.close(1000);
		assert.equal((await answered).status, 503);
	});

	scenario("disconnected by a person", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const answered = request(`${hub.url}${hub.base}/`);
		await peer.next("http_proxy_request");
		const done = await request(`${hub.url}/clients/box/disconnect`,
			{ method: "POST" });
		assert.equal(done.status, 200);
		assert.equal((await peer.next("error")).message,
			"Disconnected by user");
		assert.equal((await peer.closed).code, 1000);
		assert.equal((await answered).status, 503);
	});

	scenario("no answer for 30 s", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const answered = request(`${hub.url}${hub.base}/`);
		await peer.next("http_proxy_request");
		peer.ws.terminate();
		assert.equal((await answered).status, 504);
	});

	scenario("a message that is too big", async (stage) => {
		const hub = await startHub(stage, ["--message-max", "65536"]);
		const peer = await startPeer(stage, hub);
		peer.send({ type: "ping", client_id: "box", x: "x".repeat(65536) });
		assert.equal((await peer.closed).code, 1009);
	});

	scenario("hub stops", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const browser = await startBrowser(stage, hub);
		hub.signal("SIGTERM");
		assert.equal((await peer.closed).code, 1001);
		assert.equal((await browser.closed).code, 1001);
		assert.equal((await hub.ended()).code, 0);
	});
});
