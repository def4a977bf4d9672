// What an upstream may say in HTTP/1.1, and what nobody may: the request gets
// one answer, and the next one an answer of its own.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { good, lines, startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline } from "./lib/time.mjs";

const STATUS = { register: { capabilities: ["status"] } };
// Long enough for what is answered, short enough for what is not.
const LIMITS = "limits {\n\trequest time 2s\n}\n";
const SOON_MS = 1500;

const BAD = /^the web app's answer (is malformed|is broken|has too many headers)$/;
const LATE = /^the web app did not answer in time$/;

const OK = "HTTP/1.1 200 OK";
const TEXT = "Content-Type: text/plain";
const CHUNKED = "Transfer-Encoding: chunked";
const LINK = "Link: </a.css>; rel=preload";
const EVIL = good("evil");

// How a script ends its connection once all is sent.
const FIN = (socket) => socket.end();
const RST = (socket) => setTimeout(() => socket.resetAndDestroy(), 50);

const send = (bytes, end) => (request, socket) => {
	socket.write(bytes);
	end?.(socket);
};

// The same again and again, until the other side has had enough.
const flood = (head, more) => (request, socket) => {
	const write = () => {
		while (socket.writable && socket.write(more))
			continue;
	};
	socket.write(head);
	socket.on("drain", write);
	write();
};

// A byte every 50 ms, or whatever is given.
const drip = (bytes, ms = 50) => (request, socket) => {
	const left = [...Buffer.from(bytes)];
	const next = () => {
		if (left.length === 0 || !socket.writable)
			return;
		socket.write(Buffer.from([left.shift()]));
		setTimeout(next, ms);
	};
	next();
};

async function start(stage, scripts, options = {}) {
	const conf = await startConf(stage, options.limits ?? LIMITS);
	return startInstance(stage, { args: conf.args,
		orchestrator: STATUS,
		upstream: () => startHostile(stage, scripts, options) });
}

// Each row: name, what the upstream does, the status, and the body, or the
// error if there is one; whatever else.
async function play(stage, rows, options) {
	const scripts = {};
	const { connection, tetherd } = await start(stage, scripts, options);
	let n = 0;
	const next = async () => {
		const query = `${++n}`;
		const answer = await connection.request({ path: "/ok", query });
		assert.equal(answer.status, 200, `next: ${answer.body}`);
		assert.equal(answer.body, `ok /ok?${query}`, "next");
	};
	await next();
	await eachRow(rows, async ([, script, status, body, more = {}]) => {
		scripts["/row"] = script;
		const asked = Date.now();
		const answer = await connection.request({ path: "/row",
			...more.request });
		const took = Date.now() - asked;
		await next();
		await more.check?.(answer);
		assert.equal(answer.status, status, answer.body);
		if (body === BAD || body === LATE)
			assert.match(answer.json.error, body);
		else
			assert.equal(answer.body, body);
		assert.ok(status === 504 || took < SOON_MS, `after ${took} ms`);
		await next();
	});
	assert.deepEqual(connection.surplus, [], "answered twice");
	assert.deepEqual(tetherd.all("lost child"), []);
}

const HEAD = { request: { method: "HEAD" } };
const lacks = (...names) => ({ check: (answer) => {
	for (const name of names)
		assert.equal(answer.header(name), null, name);
} });
const has = (name, value) => ({ check: (answer) =>
	assert.equal(answer.header(name), value) });

describe("an upstream's answer", { concurrency: 2 }, () => {
	scenario("that comes behind others", (stage) => play(stage, [
		["100", lines("HTTP/1.1 100 Continue", "", good("a")), 200, "a"],
		["103", lines("HTTP/1.1 103 Early Hints", LINK, "", good("a")),
			200, "a", lacks("link")],
		["twenty of them", lines(...Array.from({ length: 20 }, (_, i) =>
			`HTTP/1.1 1${i + 2}3 Early\r\n${LINK}\r\nX-${i}: 1\r\n`
				.replace(/ 1(\d\d)3/, " 1$1")), good("a")), 200, "a",
		lacks("link", "x-0", "x-19")],
		["100 in pieces", drip(lines("HTTP/1.1 100 Continue", "", ""), 5), 504,
			LATE],
		["without end", flood("", "HTTP/1.1 100 Continue\r\n\r\n"), 502,
			BAD],
		["101", send(lines("HTTP/1.1 101 Switching Protocols",
			"Upgrade: websocket", "Connection: Upgrade", "", "frames")), 502,
		BAD],
		["100, and no more", send(lines("HTTP/1.1 100 Continue", "", ""), FIN),
			502, BAD],
	]));

	scenario("in chunks", (stage) => play(stage, [
		["some", lines(OK, TEXT, CHUNKED, "", "3", "abc", "1", "d", "0", "", ""),
			200, "abcd", lacks("content-length", "transfer-encoding")],
		["extensions", lines(OK, TEXT, CHUNKED, "", "3;a=\"b\"", "abc",
			"1 ; x", "d", "0;y", "", ""), 200, "abcd"],
		["trailers", lines(OK, TEXT, CHUNKED, "Trailer: X-T", "", "3", "abc",
			"0", "X-T: 1", "Content-Type: text/html", "", ""), 200, "abc",
		{ check: (answer) => {
			assert.equal(answer.header("x-t"), null);
			assert.equal(answer.header("content-type"), "text/plain");
		} }],
		["beside a length", lines(OK, TEXT, "Content-Length: 2", CHUNKED, "",
			"3", "abc", "0", "", ""), 200, "abc", lacks("content-length")],
		["a byte at a time", drip(lines(OK, TEXT, CHUNKED, "", "3", "abc", "0",
			"", ""), 2), 200, "abc"],
		["no size", send(lines(OK, TEXT, CHUNKED, "", "x", "abc", "0", "", "")),
			502, BAD],
		["a size that is negative", send(lines(OK, TEXT, CHUNKED, "", "-3",
			"abc", "0", "", "")), 502, BAD],
		["a size without end", send(lines(OK, TEXT, CHUNKED, "",
			"f".repeat(40), "abc")), 502, BAD],
		["a size that is too small", send(lines(OK, TEXT, CHUNKED, "", "2",
			"abc", "0", "", "")), 502, BAD],
		["a size that is too large", send(lines(OK, TEXT, CHUNKED, "", "9",
			"abc", "0", "", ""), FIN), 502, BAD],
		["no last one", send(lines(OK, TEXT, CHUNKED, "", "3", "abc", ""), FIN),
			502, BAD],
		["no last one, reset", send(lines(OK, TEXT, CHUNKED, "", "3", "abc",
			""), RST), 502, BAD],
		["no empty line", send(lines(OK, TEXT, CHUNKED, "", "3", "abc", "0",
			""), FIN), 502, BAD],
		["trailers without end", flood(lines(OK, TEXT, CHUNKED, "", "0", ""),
			"X-T: 1\r\n".repeat(1000)), 502, BAD],
		["two codings", send(lines(OK, TEXT, "Transfer-Encoding: gzip, chunked",
			"", "3", "abc", "0", "", ""), FIN), 502, BAD],
		["of HTTP/1.0", send(lines("HTTP/1.0 200 OK", TEXT, CHUNKED, "", "3",
			"abc", "0", "", ""), FIN), 200, "abc"],
	]));

	scenario("and its length", (stage) => play(stage, [
		["until the end", send(lines(OK, TEXT, "", "abc"), FIN), 200, "abc"],
		["until the end, HTTP/1.0", send(lines("HTTP/1.0 200 OK", TEXT, "",
			"abc"), FIN), 200, "abc"],
		["until a reset", send(lines(OK, TEXT, "", "abc"), RST), 502, BAD],
		["closed after it", send(good("abc", "Connection: close"), FIN), 200,
			"abc", lacks("connection")],
		["closed only after it", send(good("abc", "Connection: close")), 200,
			"abc"],
		["half closed", (request, socket) => {
			socket.halfOpen = true;
			socket.end(good("abc"));
		}, 200, "abc"],
		["said twice", lines(OK, TEXT, "Content-Length: 3", "Content-Length: 3",
			"", "abc"), 200, "abc", has("content-length", "3")],
		["said twice, otherwise", send(lines(OK, TEXT, "Content-Length: 3",
			"Content-Length: 4", "", "abcd"), FIN), 502, BAD],
		["a list", send(lines(OK, TEXT, "Content-Length: 3, 3", "", "abc"),
			FIN), 502, BAD],
		["negative", send(lines(OK, TEXT, "Content-Length: -3", "", "abc"),
			FIN), 502, BAD],
		["with a sign", send(lines(OK, TEXT, "Content-Length: +3", "", "abc"),
			FIN), 502, BAD],
		["no number", send(lines(OK, TEXT, "Content-Length: 3x", "", "abc"),
			FIN), 502, BAD],
		["too many digits", send(lines(OK, TEXT,
			`Content-Length: ${"9".repeat(30)}`, "", "abc"), FIN), 502,
		BAD],
		["shorter", send(lines(OK, TEXT, "Content-Length: 9", "", "abc"), FIN),
			502, BAD],
		["shorter, reset", send(lines(OK, TEXT, "Content-Length: 9", "",
			"abc"), RST), 502, BAD],
		["shorter, and silence", send(lines(OK, TEXT, "Content-Length: 9", "",
			"abc")), 504, LATE],
		["longer", lines(OK, TEXT, "Content-Length: 3", "", "abcdef"), 200,
			"abc"],
		["and another answer", Buffer.concat([good("abc"), EVIL]), 200, "abc"],
		["and another answer, later", (request, socket) => {
			socket.write(good("abc"));
			setTimeout(() => socket.write(EVIL), 20);
		}, 200, "abc", { check: () => new Promise((resolve) =>
			setTimeout(resolve, 60)) }],
		["none", lines(OK, TEXT, "Content-Length: 0", "", ""), 200, ""],
		["none, and another answer", Buffer.concat([good(""), EVIL]), 200, ""],
		["HEAD", lines(OK, TEXT, "Content-Length: 9", "", ""), 200, "",
			{ ...HEAD, ...has("content-length", "9") }],
		["HEAD in chunks", lines(OK, TEXT, CHUNKED, "", ""), 200, "", HEAD],
		["HEAD and a body", good("abc"), 200, "", HEAD],
		["HEAD and another answer", Buffer.concat([lines(OK,
			"Content-Length: 9", "", ""), EVIL].map((x) => Buffer.from(x))),
		200, "", HEAD],
		["204", lines("HTTP/1.1 204 No", "Content-Length: 0", "", ""), 204, "",
			lacks("content-length")],
		["204 and a body", lines("HTTP/1.1 204 No", "Content-Length: 3", "",
			"abc"), 204, ""],
		["204 in chunks", lines("HTTP/1.1 204 No", CHUNKED, "", "3", "abc",
			"0", "", ""), 204, ""],
		["204 and another answer", Buffer.concat([Buffer.from(lines(
			"HTTP/1.1 204 No", "", "")), EVIL]), 204, ""],
		["304", lines("HTTP/1.1 304 Same", "ETag: \"x\"", "Content-Length: 9",
			"", ""), 304, "", has("etag", "\"x\"")],
		["304 and a body", lines("HTTP/1.1 304 Same", "Content-Length: 3", "",
			"abc"), 304, ""],
		["304 and another answer", Buffer.concat([Buffer.from(lines(
			"HTTP/1.1 304 Same", "", "")), EVIL]), 304, ""],
	]));

	scenario("and its head", (stage) => play(stage, [
		["folded", lines(OK, TEXT, "Content-Length: 1", "X-F: a", "  b",
			"\tc", "", "a"), 200, "a", has("x-f", "a b c")],
		["bare line feeds", good("a").toString().replaceAll("\r\n", "\n"), 200,
			"a"],
		["no reason", good("a").toString().replace(" OK", ""), 200, "a"],
		["no reason, with a blank", good("a").toString().replace("OK", ""),
			200, "a"],
		["a line without a colon", good("a", "nonsense"), 502, BAD],
		["a name with a blank", good("a", "X-A : 1", "X-B: 1"), 200, "a",
			lacks("x-a", "x-a ")],
		["a NUL", good("a", "X-A: a\0b"), 502, BAD],
		["HTTP/1.2", send(good("a").toString().replace("1.1", "1.2")), 502, BAD],
		["status 999", good("a").toString().replace("200", "999"), 999, "a"],
		["status 99", send(good("a").toString().replace("200", "099")), 502,
			BAD],
		["status 1000", send(good("a").toString().replace("200", "1000")), 502,
			BAD],
		["status 20", send(good("a").toString().replace("200", "20")), 502,
			BAD],
		["status 2x0", send(good("a").toString().replace("200", "2x0")), 502,
			BAD],
		["status -20", send(good("a").toString().replace("200", "-20")), 502,
			BAD],
		["HTTP/0.9", send("abc", FIN), 502, BAD],
		["HTTP/2", send(good("a").toString().replace("HTTP/1.1", "HTTP/2")),
			502, BAD],
		["HTTP/3.7", send(good("a").toString().replace("1.1", "3.7")), 502,
			BAD],
		["another protocol", send("SSH-2.0-OpenSSH\r\n", FIN), 502, BAD],
		["TLS", send(Buffer.from([21, 3, 1, 0, 2, 2, 70]), FIN), 502,
			BAD],
		["nothing", send("", FIN), 502, BAD],
		["a reset", send("", RST), 502, BAD],
		["the beginning", send("HTTP/1.1 200 OK\r\nX-A: ", FIN), 502, BAD],
		["silence", () => {}, 504, LATE],
		["a byte now and then", drip(good("a"), 200), 504, LATE],
		["a body now and then", drip(good("a".repeat(500)), 5), 504, LATE],
		["300 fields", good("a", ...Array.from({ length: 300 }, (_, i) =>
			`X-${i}: 1`)), 502, BAD],
		["a large field", good("a", `X-A: ${"a".repeat(140000)}`), 502,
			BAD],
		["fields without end", flood(`${OK}\r\n`, "X-A: 1\r\n"), 502,
			BAD],
		["a field without end", flood(`${OK}\r\nX-A: `, "a".repeat(10000)),
			502, BAD],
		["a status line without end", flood("HTTP/1.1 200 ",
			"a".repeat(10000)), 502, BAD],
		["no line end", flood("", "a".repeat(10000)), 502, BAD],
	]));

	scenario("before the request was read", async (stage) => {
		const big = "x".repeat(3000000);
		const early = (end) => (request, socket) => {
			socket.pause();
			socket.write(lines("HTTP/1.1 413 Too Large", TEXT,
				"Connection: close", "Content-Length: 3", "", "big"));
			end?.(socket);
		};
		const request = { method: "POST", body: big };
		await play(stage, [
			["and no more", early(), 413, "big", { request }],
			["and the end", early(FIN), 413, "big", { request }],
			["and half of it", early((socket) => {
				socket.halfOpen = true;
				socket.end();
			}), 413, "big", { request }],
			["and the body is read", (_, socket) =>
				socket.write(good("early")), 200, "early", { request }],
			["and a reset", early((socket) => setTimeout(() =>
				socket.destroy(), 20)), 413, "big", { request }],
			["nothing but a reset", (_, socket) => {
				socket.pause();
				setTimeout(() => socket.resetAndDestroy(), 20);
			}, 502, BAD, { request }],
			["nothing", (_, socket) => socket.pause(), 504, LATE,
				{ request }],
		], { bodies: false });
	});

	scenario("a byte a second for as long as there is time", async (stage) => {
		const { connection } = await start(stage, {
			"/row": drip(good("a".repeat(100)), 1000) });
		const answer = await deadline(
			connection.request({ path: "/row" }), 3500, "no answer");
		assert.equal(answer.status, 504);
	});

	scenario("to a request that expects something", async (stage) => {
		const { connection, upstream } = await start(stage, {});
		const answer = await connection.request({ method: "POST",
			path: "/ok", body: "x".repeat(2000000),
			headers: [["Expect", "100-continue"]] });
		assert.equal(answer.status, 200);
		assert.doesNotMatch(upstream.requests[0].head, /^expect/im);
		assert.doesNotMatch(upstream.requests[0].head,
			/^accept-encoding/im);
		assert.equal(upstream.requests[0].body.length, 2000000);
	});
});
