// What becomes of a request on its way to the upstream.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

// An upstream that tells what it got.
const tell = (req, res) => {
	const headers = [];
	for (let i = 0; i < req.rawHeaders.length; i += 2)
		headers.push([req.rawHeaders[i].toLowerCase(),
			req.rawHeaders[i + 1]]);
	res.setHeader("Content-Type", "application/json");
	res.end(JSON.stringify({
		method: req.method,
		url: req.url,
		headers,
		body: req.body.toString("latin1"),
	}));
};
const start = (stage, options) =>
	startInstance(stage, { handle: tell, ...options });

// What the upstream got; the host is left out.
async function arrived(connection, members) {
	const answer = await connection.request(members);
	assert.equal(answer.status, 200, answer.body);
	const got = answer.json;
	got.headers = got.headers.filter(([name]) => name !== "host");
	return got;
}

describe("requests", { concurrency: 4 }, () => {
	scenario("4.1 what is rejected with 400", async (stage) => {
		const { connection, upstream } = await start(stage);
		await eachRow([
			{ method: "" }, { method: "GE T" }, { method: "GET\r\n" },
			{ method: "G\u0000T" }, { method: "GÉT" },
			{ method: "GET/" }, { method: "GET\tX" },
			{ method: "A".repeat(5000) },
			{ path: "" }, { path: "x" }, { path: "*" },
			{ path: "http://127.0.0.1/" }, { path: "@127.0.0.1/" },
			{ path: " /" }, { path: "?a" },
			{ path: "/a\r\nX: y" }, { path: "/a\nb" },
			{ path: "/a\u0000b" }, { path: "/a\u0007b" },
			{ path: "/a\u007fb" }, { path: "/a\tb" },
			{ query: "a\r\nX: y" }, { query: "a\u0000b" },
			{ query: "a\u007f" }, { query: "\n" },
			{ headers: [["", "v"]] }, { headers: [["a b", "v"]] },
			{ headers: [["a:", "v"]] }, { headers: [["a\r\nb", "v"]] },
			{ headers: [["é", "v"]] }, { headers: [["a\u0000", "v"]] },
			{ headers: [["a", "v\r\nX: y"]] },
			{ headers: [["a", "v\n y"]] }, { headers: [["a", "\r"]] },
			{ headers: [["a", "v\u0000"]] },
			{ headers: [["host", "x\r\nX: y"]] },
		], async (members) => {
			const answer = await connection.request(members);
			assert.equal(answer.status, 400);
			assert.equal(answer.header("content-type"),
				"application/json");
			assert.equal(typeof answer.json.error, "string");
		});
		assert.equal(upstream.requests.length, 0);
		assert.equal(connection.surplus.length, 0);
	});

	scenario("4.1 paths and queries arrive as they are", async (stage) => {
		const { connection } = await start(stage);
		await eachRow([
			["/", null, "/"],
			["/a/b.js", "v=1", "/a/b.js?v=1"],
			["/a", "", "/a"],
			["//evil.example/x", null, "//evil.example/x"],
			["/@evil.example/", null, "/@evil.example/"],
			["/\\evil.example", null, /^\/(\\|%5C)evil\.example$/i],
			["/:80/", null, "/:80/"],
			["/a/../b/./c", null, "/a/../b/./c"],
			["/../../x", null, "/../../x"],
			["/%2e%2e/%2F%00%0d%0a", null, "/%2e%2e/%2F%00%0d%0a"],
			["/a//b", null, "/a//b"],
			["/a%20b+c", "q=%C3%A9+1&r=a%26b", "/a%20b+c?q=%C3%A9+1&r=a%26b"],
			["/{a}[b]", "x={y}", /^\/(\{a\}|%7Ba%7D)\[b\]\?x=(\{y\}|%7By%7D)$/],
			["/[1-9]", "[a-z]", "/[1-9]?[a-z]"],
			["/a", "http://evil.example/?x", "/a?http://evil.example/?x"],
			["/é", "ü", /^\/(%C3%A9|Ã©)\?(%C3%BC|Ã¼)$/i],
			["/a b", null, /^\/a%20b$/],
			["/" + "a".repeat(8000), null, "/" + "a".repeat(8000)],
		], async ([path, query, wanted]) => {
			const { url } = await arrived(connection, { path, query });
			if (typeof wanted === "string")
				assert.equal(url, wanted);
			else
				assert.match(url, wanted);
		});
	});

	scenario("4.4 methods and bodies", async (stage) => {
		const { connection } = await start(stage);
		const text = "body of Zoë 🗝\r\n\u0000\u0001\"\\";
		const bytes = Buffer.from(text).toString("latin1");
		await eachRow([
			["GET", null, ""], ["GET", text, ""],
			["POST", text, bytes], ["POST", "", ""], ["POST", null, ""],
			["PUT", text, bytes], ["PATCH", text, bytes],
			["DELETE", text, bytes], ["DELETE", null, ""],
			["PROPFIND", text, bytes],
		], async ([method, body, wanted]) => {
			const got = await arrived(connection, { method, body });
			assert.equal(got.method, method);
			assert.equal(got.body, wanted);
			const length = got.headers.filter(([n]) =>
				n === "content-length").map(([, v]) => v);
			if (wanted !== "")
				assert.deepEqual(length, [String(bytes.length)]);
			if (method === "GET")
				assert.deepEqual(length, []);
			for (const name of ["expect", "content-type",
				"transfer-encoding"])
				assert.ok(!got.headers.some(([n]) => n === name),
					`${name} added`);
		});
	});

	scenario("4.4 HEAD", async (stage) => {
		const { connection } = await startInstance(stage);
		const answer = await connection.request({
			method: "HEAD",
			path: "/api/big",
			query: "bytes=1000&type=text/plain",
		});
		assert.equal(answer.status, 200);
		assert.equal(answer.body, "");
		assert.equal((await connection.request()).status, 200);
	});

	scenario("4.4 a large body", async (stage) => {
		const { connection } = await startInstance(stage);
		const body = "0123456789 \"é\"\n".repeat(300000);
		const answer = await connection.request({
			method: "POST", path: "/api/echo", body });
		assert.equal(answer.status, 200);
		assert.ok(answer.json.body === body);
	});

	scenario("4.2 headers that pass and headers that do not", async (stage) => {
		const { connection } = await start(stage);
		const passed = [
			["accept", "*/*"],
			["accept-language", "de, en;q=0.5"],
			["cookie", "a=b; c=d"],
			["content-type", "application/json"],
			["user-agent", "tests"],
			["if-match", "\"x\""],
			["x-twice", "1"], ["x-twice", "2"],
			["x-tab", "a\tb"],
			["x-empty", ""],
			["x-page", "y".repeat(4000)],
		];
		const dropped = [
			["Host", "evil.example"],
			["Authorization", "Bearer a.b.c"],
			["X-Orchestrator-User-Id", "583231"],
			["X-Orchestrator-Username", "octocat"],
			["X-Orchestrator-Anything", "1"],
			["Connection", "close, X-Named"],
			["x-named", "1"],
			["Keep-Alive", "timeout=5"],
			["Proxy-Authorization", "Basic eDp5"],
			["Proxy-Connection", "close"],
			["Proxy-Anything", "1"],
			["TE", "trailers"],
			["Trailer", "X-T"],
			["Transfer-Encoding", "chunked"],
			["Upgrade", "websocket"],
			["Content-Length", "999"],
			["Accept-Encoding", "gzip, br"],
			["If-None-Match", "\"x\""],
			["If-Modified-Since", "Sun, 22 Nov 2026 12:00:00 GMT"],
			["Range", "bytes=0-5"],
		];
		const { headers } = await arrived(connection, {
			method: "POST",
			body: "{}",
			headers: [...passed, ...dropped],
		});
		const [[name, value], ...rest] = headers.filter(([n]) =>
			n === "authorization");
		assert.equal(name, "authorization");
		assert.notEqual(value, "Bearer a.b.c");
		assert.deepEqual(rest, []);
		assert.deepEqual(
			headers.filter(([n]) => !["authorization", "content-length",
				"connection"].includes(n)).sort(),
			[...passed].sort());
	});

	scenario("4.2 nothing is added", async (stage) => {
		const { connection } = await start(stage);
		const { headers } = await arrived(connection, {});
		assert.deepEqual(headers.filter(([n]) => n !== "connection"), []);
	});

	scenario("4.2 the host is the upstream", async (stage) => {
		const { connection, upstream } = await start(stage);
		const answer = await connection.request(
			{ headers: [["Host", "evil.example"]] });
		const hosts = answer.json.headers.filter(([n]) => n === "host");
		assert.deepEqual(hosts,
			[["host", `127.0.0.1:${upstream.port}`]]);
	});

	scenario("4 conditions pass with the capability status",
		async (stage) => {
			const { connection } = await start(stage, {
				orchestrator: { register: { capabilities: ["status"] } },
			});
			const headers = [["if-none-match", "\"x\""],
				["if-modified-since", "Sun, 22 Nov 2026 12:00:00 GMT"],
				["range", "bytes=0-5"]];
			const got = await arrived(connection, { headers });
			assert.deepEqual(got.headers.filter(([n]) =>
				/^if-|^range$/.test(n)).sort(), [...headers].sort());
		});

	scenario("6 a body in base64", async (stage) => {
		const { connection } = await start(stage, {
			orchestrator: { register: { capabilities: ["base64"] } },
		});
		const bytes = Buffer.from([0, 255, 128, 10, 13]);
		const got = await arrived(connection, {
			method: "POST",
			body: bytes.toString("base64"),
			body_encoding: "base64",
		});
		assert.equal(got.body, bytes.toString("latin1"));
		const wrong = await connection.request({
			method: "POST",
			body: "no base64!",
			body_encoding: "base64",
		});
		assert.equal(wrong.status, 400);
	});

	scenario("4 identical ids in a row", async (stage) => {
		const { connection } = await start(stage);
		for (let i = 0; i < 3; i++)
			assert.equal((await connection.request(
				{ request_id: "same", headers: identity(1, "a") }))
				.status, 200);
		assert.equal(connection.surplus.length, 0);
	});
});
