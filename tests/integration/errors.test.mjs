// Upstreams that fail, and what the browser is told then.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { freePort, startRawUpstream } from "./lib/upstream.mjs";

function isError(answer, status, port) {
	assert.equal(answer.status, status, answer.body);
	assert.equal(answer.header("content-type"), "application/json");
	assert.deepEqual(Object.keys(answer.json), ["error"]);
	assert.equal(typeof answer.json.error, "string");
	assert.doesNotMatch(answer.body, /curl|127\.0\.0\.1|errno/i);
	assert.ok(!answer.body.includes(String(port)), answer.body);
}

describe("errors", { concurrency: 4 }, () => {
	scenario("4.6 nobody listens: 502, until somebody does", async (stage) => {
		const port = await freePort();
		const { connection, orchestrator } = await startInstance(stage,
			{ upstream: () => ({ port }) });
		isError(await connection.request(), 502, port);
		isError(await connection.request(), 502, port);
		assert.equal(orchestrator.upgrades.length, 1);
	});

	scenario("4.6 too slow: 504 before the orchestrator gives up",
		async (stage) => {
			const { connection, upstream } = await startInstance(stage,
				{ handle: (req, res) => {
					res.writeHead(200, { "Content-Type": "text/plain" });
					if (req.url === "/trickle")
						res.write("some");
				} });
			const start = Date.now();
			const answers = await Promise.all(["/silent", "/trickle"]
				.map((path) => connection.request({ path })));
			assert.ok(Date.now() - start < 30000);
			for (const answer of answers)
				isError(answer, 504, upstream.port);
			assert.equal(connection.surplus.length, 0);
		});

	scenario("4.6 answers that are none", async (stage) => {
		let bytes, ending;
		const { connection, upstream } = await startInstance(stage, {
			upstream: (s) => startRawUpstream(s, (socket) => {
				socket.write(bytes);
				if (ending === "reset")
					socket.resetAndDestroy();
				else
					socket.end();
			}),
		});
		const OK = "HTTP/1.1 200 OK\r\n";
		const TEXT = `${OK}Content-Type: text/plain\r\n`;
		const long = "x".repeat(1 << 20);
		await eachRow([
			[""], ["", "reset"], ["\0"], ["blah\r\n\r\n"],
			["HTTP/1.1"], ["HTTP/1.1 200"], [OK],
			[`${OK}Content-Le`], [OK, "reset"],
			["HTTP/1.1 abc OK\r\n\r\n"],
			["HTTP/9.9 200 OK\r\n\r\n"],
			["ICY 200 OK\r\n\r\n"],
			[`${TEXT}Content-Length: 5\r\n\r\nab`],
			[`${TEXT}Content-Length: 5\r\n\r\nab`, "reset"],
			[`${TEXT}Content-Length: -1\r\n\r\nab`],
			[`${TEXT}Content-Length: five\r\n\r\nab`],
			[`${TEXT}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`],
			[`${TEXT}Transfer-Encoding: chunked\r\n\r\nzz\r\nab`],
			[`${TEXT}Transfer-Encoding: chunked\r\n\r\n5\r\nab`],
			[`${TEXT}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`],
			[`${TEXT}Transfer-Encoding: chunked\r\n\r\n` +
				"fffffffffffffffff\r\nab"],
			["HTTP/1.1 101 Switching Protocols\r\n" +
				"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\nhm"],
			["HTTP/1.1 100 Continue\r\n\r\n".repeat(3)],
			[`${OK}X-Long: ${long}\r\n\r\n`],
			[`${OK}${"X-Many: y\r\n".repeat(100000)}\r\n`],
		], async ([text, how]) => {
			[bytes, ending] = [text, how];
			isError(await connection.request(), 502, upstream.port);
		});
		assert.equal(connection.surplus.length, 0);
	});

	scenario("4.6 answers that are odd, but answers", async (stage) => {
		let bytes;
		const { connection } = await startInstance(stage, {
			upstream: (s) => startRawUpstream(s, (socket) =>
				socket.end(Buffer.from(bytes, "latin1"))),
		});
		const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
		await eachRow([
			["HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nab", "ab"],
			[`${OK}\r\nab`, "ab"],
			["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
				`${OK}Content-Length: 2\r\n\r\nab`, "ab"],
			[`${OK}Content-Length: 2\r\n\r\nab and more`, "ab"],
			[`${OK}X-Bytes: \xff\xfe"\\\r\nContent-Length: 2\r\n\r\nab`,
				"ab"],
			[`${OK}X-Tab: a\tb\r\nX-None:\r\nContent-Length: 2\r\n\r\nab`,
				"ab"],
			[`${OK}Transfer-Encoding: chunked\r\n\r\n` +
				"1;ext=1\r\na\r\n1\r\nb\r\n0\r\nX-T: 1\r\n\r\n", "ab"],
		], async ([text, body]) => {
			bytes = text;
			const answer = await connection.request();
			assert.equal(answer.status, 200);
			assert.equal(answer.body, body);
			for (const [name, value] of answer.headers) {
				assert.match(name, /^[\w!#$%&'*+.^`|~-]+$/);
				assert.doesNotMatch(value, /[\0\r\n]/);
			}
		});
	});

	scenario("4.6 headers that must not get through", async (stage) => {
		let line;
		const { connection } = await startInstance(stage, {
			upstream: (s) => startRawUpstream(s, (socket) =>
				socket.end(Buffer.from("HTTP/1.1 200 OK\r\n" +
					"Content-Type: text/plain\r\n" +
					`${line}\r\nContent-Length: 2\r\n\r\nab`,
				"latin1"))),
		});
		for (line of ["X-Nul: a\0b", "X Space: 1", "X-Cr: a\rb", ": 1",
			"no colon", " folded", "X-Fold: a\r\n b"]) {
			const answer = await connection.request();
			assert.ok([200, 502].includes(answer.status), line);
			for (const [name, value] of answer.headers) {
				assert.match(name, /^[\w!#$%&'*+.^`|~-]+$/, line);
				assert.doesNotMatch(value, /[\0\r\n]/, line);
			}
		}
	});
});
