// What becomes of the upstream's answer.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { gzipSync } from "node:zlib";

import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const STATUS = { register: { capabilities: ["status"] } };

// An upstream whose answers are laid down by path: [status, headers, body].
const serve = (answers) => (req, res) => {
	const [status, headers, body] = answers[req.url.split("?")[0]] ??
		[200, {}, `${req.method} ${req.url} ${req.body}`];
	res.writeHead(status, headers);
	res.end(body);
};

describe("answers", { concurrency: 4 }, () => {
	scenario("2 text and what is not", async (stage) => {
		let next;
		const { connection } = await startInstance(stage, {
			handle: (req, res) => {
				if (next.type !== undefined)
					res.setHeader("Content-Type", next.type);
				res.end(next.body);
			},
		});
		const text = Buffer.from("plain é 🗝 \"q\" \\ \u2028 \u0000\u0001\u001f" +
			"\u007f\u0085\t\r\n</script>\ufeff");
		const noText = Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x0a]);
		const T = true, B = false; // travels as text or as base64
		await eachRow([
			["text/html", text, T],
			["text/html; charset=utf-8", text, T],
			["TEXT/Plain", text, T],
			["text/whatever; a=b", text, T],
			["application/json", text, T],
			["Application/JSON; charset=UTF-8", text, T],
			["application/javascript", text, T],
			["application/x-javascript", text, T],
			["application/xml", text, T],
			["image/svg+xml", text, T],
			["application/vnd.api+json", text, T],
			["application/atom+xml", text, T],
			["application/octet-stream; charset=utf-8", text, T],
			["application/octet-stream", text, B],
			["image/png", text, B],
			["font/woff2", noText, B],
			[undefined, text, B],
			["text/html", noText, B],
			["application/json", Buffer.from([0xc3]), B],
			["text/plain", Buffer.from([0xc0, 0x80]), B], // overlong
			["text/plain", Buffer.from([0xe0, 0x80, 0xaf]), B],
			["text/plain", Buffer.from([0xed, 0xa0, 0x80]), B], // surrogate
			["text/plain", Buffer.from([0xf4, 0x90, 0x80, 0x80]), B],
			["text/plain", Buffer.from([0xf5, 0x80, 0x80, 0x80]), B],
			["text/plain", Buffer.from([0x80]), B],
			["text/plain", Buffer.from([0xf0, 0x9f, 0x97]), B], // cut
			["text/plain", Buffer.concat(
				[Buffer.alloc(200000, "é"), noText]), B],
			["text/plain", Buffer.alloc(0), T],
		], async ([type, body, isText]) => {
			next = { type, body };
			const answer = await connection.request();
			assert.equal(answer.status, 200);
			assert.equal(answer.header("x-orch-encoding"),
				isText ? null : "base64");
			assert.ok(answer.bytes.equals(body), "bytes differ");
			assert.equal(answer.header("content-type"), type ?? null);
			// Duratii passes base64 on as it is: longer than that.
			assert.equal(answer.header("content-length"),
				isText ? String(body.length) : null);
		});
	});

	scenario("2 text in other charsets", async (stage) => {
		let type;
		const body = Buffer.from([0x63, 0x61, 0x66, 0xe9]); // café, latin1
		const { connection } = await startInstance(stage, {
			handle: (req, res) => {
				res.setHeader("Content-Type", type);
				res.end(body);
			},
		});
		for (type of ["text/plain; charset=iso-8859-1",
			"text/plain; charset=\"windows-1252\"",
			"text/plain; charset=nonsense"]) {
			const answer = await connection.request();
			if (answer.header("x-orch-encoding") === "base64")
				assert.ok(answer.bytes.equals(body), type);
			else
				assert.equal(answer.body, "café", type);
		}
	});

	scenario("2 text that arrives a byte at a time", async (stage) => {
		const body = Buffer.from("aé€🗝\"\\\n");
		const { connection } = await startInstance(stage, {
			handle: async (req, res) => {
				res.socket.setNoDelay(true);
				res.setHeader("Content-Type", "text/plain");
				for (const byte of body) {
					res.write(Buffer.from([byte]));
					await new Promise((resolve) =>
						setTimeout(resolve, 3));
				}
				res.end();
			},
		});
		assert.equal((await connection.request()).body, body.toString());
	});

	scenario("4.5 status and headers", async (stage) => {
		const { connection } = await startInstance(stage, {
			orchestrator: STATUS,
			handle: serve({
				"/201": [201, { "X-A": "1" }, "made"],
				"/204": [204, {}, undefined],
				"/304": [304, { ETag: "\"x\"" }, undefined],
				"/404": [404, { "Content-Type": "text/plain" }, "no"],
				"/418": [418, {}, ""],
				"/500": [500, { "Content-Type": "text/html" }, "<p>"],
				"/hop": [200, { "Connection": "close, X-Named",
					"X-Named": "1", "Keep-Alive": "timeout=5",
					"Proxy-Authenticate": "Basic", "Trailer": "X-T",
					"Upgrade": "h2c", "X-Stays": "1",
					"Content-Type": "text/plain" }, "hop"],
				"/cookies": [200, { "Set-Cookie": ["a=1; Path=/",
					"b=2"], "Content-Type": "text/plain" }, "c"],
				"/latin1": [200, { "X-L": "caf\u00e9",
					"Content-Type": "text/plain" }, "l"],
				"/types": [200, { "Content-Type": "text/plain",
					"Content-Length": "4" }, "four"],
			}),
		});
		for (const status of [201, 204, 304, 404, 418, 500])
			assert.equal((await connection.request(
				{ path: `/${status}` })).status, status);
		for (const status of [204, 304])
			assert.equal((await connection.request(
				{ path: `/${status}` })).body, "");

		const hop = await connection.request({ path: "/hop" });
		for (const name of ["connection", "x-named", "keep-alive",
			"proxy-authenticate", "trailer", "upgrade",
			"transfer-encoding"])
			assert.equal(hop.header(name), null, name);
		assert.equal(hop.header("x-stays"), "1");

		const { headers } = await connection.request({ path: "/cookies" });
		assert.deepEqual(headers.filter(([n]) =>
			n.toLowerCase() === "set-cookie").map(([, v]) => v),
		["a=1; Path=/", "b=2"]);

		const types = await connection.request({ path: "/types" });
		assert.ok([null, "4"].includes(types.header("content-length")));
		assert.equal((await connection.request(
			{ path: "/latin1" })).status, 200);
	});

	scenario("4.5 a body that is compressed already", async (stage) => {
		const zipped = gzipSync("text");
		const { connection } = await startInstance(stage, {
			handle: serve({ "/": [200, {
				"Content-Type": "text/html",
				"Content-Encoding": "gzip",
			}, zipped] }),
		});
		const answer = await connection.request();
		if (answer.header("content-encoding") === null) {
			assert.equal(answer.body, "text");
		} else {
			assert.equal(answer.header("content-encoding"), "gzip");
			assert.ok(answer.bytes.equals(zipped));
		}
	});

	scenario("4.5 an upstream that closes after each answer", async (stage) => {
		const { connection } = await startInstance(stage, {
			handle: (req, res) => {
				const { socket } = res;
				res.on("finish", () => socket.end());
				res.setHeader("Content-Length", 2);
				res.end("ok");
			},
		});
		for (let i = 0; i < 50; i++)
			assert.equal((await connection.request()).status, 200);
	});
});

describe("redirects", { concurrency: 4 }, () => {
	// Each of these leads to /end, in one way or another.
	const answers = (port) => ({
		"/301": [301, { Location: "/end" }, ""],
		"/302": [302, { Location: "end?x=1" }, ""],
		"/303": [303, { Location: "./end" }, ""],
		"/307": [307, { Location: `http://127.0.0.1:${port}/end` }, ""],
		"/308": [308, { Location: `//127.0.0.1:${port}/end` }, ""],
		"/loop": [302, { Location: "/loop" }, ""],
		"/away": [302, { Location: "http://127.0.0.2:9/x" }, ""],
		"/port": [302, { Location: `http://127.0.0.1:${port + 1}/` }, ""],
		"/user": [302, { Location:
			`http://127.0.0.1:${port}@127.0.0.2:9/` }, ""],
		"/file": [302, { Location: "file:///etc/passwd" }, ""],
		"/gopher": [302, { Location:
			`gopher://127.0.0.1:${port}/_GET` }, ""],
		"/none": [302, {}, "body"],
	});
	const start = async (stage, orchestrator) => {
		let table = {};
		const started = await startInstance(stage, {
			orchestrator,
			handle: (req, res) => serve(table)(req, res),
		});
		table = answers(started.upstream.port);
		for (let i = 1; i <= 12; i++)
			table[`/chain${i}`] =
				[302, { Location: `/chain${i - 1}` }, ""];
		return started;
	};

	scenario("4 are followed for an orchestrator that loses them",
		async (stage) => {
			const { connection } = await start(stage);
			await eachRow([
				["GET", "/301", "GET /end "],
				["GET", "/302", "GET /end?x=1 "],
				["GET", "/303", "GET /end "],
				["GET", "/307", "GET /end "],
				["GET", "/308", "GET /end "],
				["POST", "/301", "GET /end "],
				["POST", "/302", "GET /end?x=1 "],
				["POST", "/303", "GET /end "],
				["POST", "/307", "POST /end b"],
				["POST", "/308", "POST /end b"],
				["PUT", "/302", "PUT /end?x=1 b"],
				["PUT", "/303", "GET /end "],
				["DELETE", "/307", "DELETE /end b"],
				["GET", "/chain10", "GET /chain0 "],
			], async ([method, path, wanted]) => {
				const answer = await connection.request({ method, path,
					body: method === "GET" ? null : "b" });
				assert.equal(answer.status, 200);
				assert.equal(answer.bytes.toString(), wanted);
			});
		});

	scenario("4 never lead out of the upstream, nor in circles",
		async (stage) => {
			const { connection, upstream } = await start(stage);
			for (const path of ["/away", "/port", "/user", "/file",
				"/gopher", "/none", "/loop", "/chain11", "/chain12"]) {
				const answer = await connection.request({ path });
				assert.ok(answer.status === 502 ||
					(answer.status >= 300 && answer.status < 400),
				`${path}: ${answer.status}`);
				assert.doesNotMatch(answer.body, /root:/);
			}
			const asked = new Map();
			for (const { url } of upstream.requests.items)
				asked.set(url, (asked.get(url) ?? 0) + 1);
			assert.equal(asked.get("/loop"), 11, "10 followed");
		});

	scenario("6 pass with the capability status", async (stage) => {
		const { connection, upstream } = await start(stage, STATUS);
		for (const [path, status, location] of [
			["/301", 301, "/end"], ["/302", 302, "end?x=1"],
			["/303", 303, "./end"],
			["/away", 302, "http://127.0.0.2:9/x"],
		]) {
			const answer = await connection.request({ path });
			assert.equal(answer.status, status);
			assert.equal(answer.header("location"), location);
		}
		assert.equal(upstream.requests.length, 4);
	});
});
