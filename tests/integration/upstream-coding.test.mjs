// Content codings that nobody asked for: undone where that can be, and labelled
// as what they are.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from
	"node:zlib";

import { startConf } from "./lib/conf-file.mjs";
import { good, lines, startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline, until } from "./lib/time.mjs";
import { makeHandle, Page } from "./lib/tunnel.mjs";

const STATUS = { register: { capabilities: ["status"] } };
const BASE = "/clients/box/proxy";
const BAD = "the web app's answer is malformed";
const HTML = "Content-Type: text/html";

const TEXT = "some text, \u00e9, and more of it\n".repeat(300);
const gzip = (body) => gzipSync(body);
const other = (body) => Buffer.from(body);
const cut = (bytes) => bytes.subarray(0, bytes.length - 5);
const coded = (bytes, ...codings) => good(bytes,
	...codings.map((coding) => `Content-Encoding: ${coding}`),
	"ETag: \"tag\"", "Content-MD5: x", "Digest: x", "Accept-Ranges: bytes");

const start = async (stage, scripts, limits = "") => {
	const conf = await startConf(stage, limits);
	return startInstance(stage, { args: conf.args, orchestrator: STATUS,
		upstream: () => startHostile(stage, scripts) });
};

describe("a content coding", { concurrency: 2 }, () => {
	scenario("is undone, and its label taken off", async (stage) => {
		const scripts = {};
		const { connection } = await start(stage, scripts);
		await eachRow([
			["gzip", gzip(TEXT)],
			["GZip", gzip(TEXT)],
			["x-gzip", gzip(TEXT)],
			["deflate", deflateSync(TEXT)],
			["deflate", deflateRawSync(TEXT)],
			["identity", Buffer.from(TEXT)],
			["", Buffer.from(TEXT)],
			["identity, gzip", gzip(TEXT)],
			[", gzip ,", gzip(TEXT)],
			// Members behind each other, one of them empty; padding.
			["gzip", Buffer.concat([gzip(TEXT.slice(0, 9)), gzip(""),
				gzip(TEXT.slice(9))])],
			["gzip", Buffer.concat([gzip(TEXT), Buffer.alloc(512)])],
			["gzip", gzipSync(TEXT, { level: 0 })],
		], async ([coding, bytes]) => {
			scripts["/"] = coded(bytes, coding);
			const answer = await connection.request();
			assert.equal(answer.status, 200, answer.body);
			assert.equal(answer.body, TEXT);
			assert.equal(answer.header("content-length"),
				String(Buffer.byteLength(TEXT)));
			if (/gzip|deflate/i.test(coding)) {
				assert.equal(answer.header("content-encoding"), null);
				assert.equal(answer.header("etag"), "W/\"tag\"");
				for (const name of ["content-md5", "digest",
					"accept-ranges"])
					assert.equal(answer.header(name), null, name);
			} else {
				assert.equal(answer.header("etag"), "\"tag\"");
			}
		});
	});

	scenario("that is unknown stays as it is", async (stage) => {
		const scripts = {};
		const { connection } = await start(stage, scripts);
		const bytes = Buffer.from("<p>not really coded</p>");
		await eachRow([
			[["br"], brotliCompressSync(TEXT)],
			[["zstd"], bytes],
			[["aes128gcm"], bytes],
			[["gzip, br"], bytes],
			[["gzip, gzip"], gzip(gzip(TEXT))],
			[["gzip", "gzip"], gzip(gzip(TEXT))],
			[["gzipp"], bytes],
			[["gzi"], bytes],
			[["gzip;q=1"], bytes],
		], async ([codings, body]) => {
			scripts["/"] = good(body, HTML, "ETag: \"tag\"",
				...codings.map((coding) => `Content-Encoding: ${coding}`));
			const answer = await connection.request({ proxy_base: BASE });
			assert.equal(answer.status, 200, answer.body);
			assert.ok(answer.bytes.equals(body), "other bytes");
			assert.deepEqual(answer.headers.filter(([name]) =>
				name === "content-encoding").map(([, value]) => value),
			codings);
			assert.equal(answer.header("etag"), "\"tag\"");
		});
	});

	scenario("does not keep a page from being rewritten", async (stage) => {
		const { connection } = await start(stage, {
			"/": good(gzip("<html><head></head><a href=\"/x\">x</a></html>"),
				HTML, "Content-Encoding: gzip", "ETag: \"x\""),
		});
		const answer = await connection.request({ proxy_base: BASE });
		assert.match(answer.body, /<a href="\/clients\/box\/proxy\/x">/);
		assert.equal(answer.header("content-encoding"), null);
		assert.equal(answer.header("etag"), null);
		assert.equal(answer.header("content-length"),
			String(Buffer.byteLength(answer.body)));
	});

	scenario("of what has no body", async (stage) => {
		const head = (status, ...more) => lines(`HTTP/1.1 ${status} X`,
			"Content-Encoding: gzip", "ETag: \"x\"", ...more, "", "");
		const { connection } = await start(stage, {
			"/head": head(200, "Content-Length: 99"),
			"/304": head(304), "/204": head(204),
			"/empty": head(200, "Content-Length: 0"),
		});
		for (const [path, status, method] of [["/head", 200, "HEAD"],
			["/304", 304, "GET"], ["/304", 304, "HEAD"], ["/204", 204, "GET"],
			["/empty", 200, "GET"]]) {
			const answer = await connection.request({ path, method });
			assert.equal(answer.status, status, path);
			assert.equal(answer.body, "");
			assert.equal(answer.header("content-encoding"), null, path);
			assert.equal(answer.header("etag"), "W/\"x\"", path);
			assert.equal(answer.header("content-length"),
				path === "/empty" ? "0" : null, path);
		}
	});

	scenario("of a part is left alone", async (stage) => {
		const part = gzip(TEXT).subarray(10, 50);
		const { connection } = await start(stage, {
			"/": Buffer.from(good(part, "Content-Encoding: gzip",
				"Content-Range: bytes 10-49/99").toString("latin1")
				.replace("200 OK", "206 Part"), "latin1"),
		});
		const answer = await connection.request(
			{ headers: [["Range", "bytes=10-49"]] });
		assert.equal(answer.status, 206);
		assert.ok(answer.bytes.equals(part));
		assert.equal(answer.header("content-encoding"), "gzip");
	});

	scenario("that is broken", async (stage) => {
		const scripts = {};
		const { connection } = await start(stage, scripts);
		const zipped = gzip(TEXT);
		const bent = Buffer.from(zipped);
		bent[bent.length - 6] ^= 1; // of its checksum
		await eachRow([
			["gzip", cut(zipped)],
			["gzip", zipped.subarray(0, 5)],
			["gzip", zipped.subarray(0, 1)],
			["gzip", bent],
			["gzip", other("no such thing")],
			["gzip", deflateSync(TEXT)],
			["gzip", Buffer.concat([zipped, zipped.subarray(0, 20)])],
			["gzip", Buffer.concat([zipped, Buffer.from([0x1f, 0])])],
			["deflate", cut(deflateSync(TEXT))],
			["deflate", cut(deflateRawSync(TEXT))],
			["deflate", other("no such thing")],
		], async ([coding, bytes]) => {
			scripts["/"] = coded(bytes, coding);
			const answer = await connection.request();
			assert.equal(answer.status, 502, answer.body);
			assert.equal(answer.json.error, BAD);
			assert.equal((await connection.request({ path: "/ok" })).status,
				200);
		});
	});

	// The piece waits for what the page is to have, and is no good then.
	scenario("that is broken, in a page of somebody", async (stage) => {
		const { connection, upstream } = await start(stage, {
			"/": (request, socket) => socket.write(Buffer.concat([
				Buffer.from(lines("HTTP/1.1 200 OK", HTML,
					"Content-Encoding: gzip", "Content-Length: 9999",
					"", "")), other("no such thing")])),
		});
		for (let i = 0; i < 3; i++) {
			const answer = await connection.request({ proxy_base: BASE,
				headers: identity(583231, "octocat") }, 5000);
			assert.equal(answer.status, 502, answer.body);
			assert.equal(answer.json.error, BAD);
		}
		await until(() => upstream.open === 0, "still open", 5000);
	});

	scenario("that comes a byte at a time", async (stage) => {
		const { connection } = await start(stage, {
			"/": (request, socket) => {
				const left = [...coded(gzip("a few words"), "gzip")];
				const next = () => {
					if (left.length === 0)
						return;
					socket.write(Buffer.from([left.shift()]));
					setTimeout(next, 1);
				};
				next();
			},
		});
		assert.equal((await connection.request()).body, "a few words");
	});

	scenario("of nothing but zeroes ends at the limits", async (stage) => {
		const bomb = gzipSync(Buffer.alloc(2 ** 30), { level: 9 });
		const scripts = { "/": good(bomb, "Content-Encoding: gzip"),
			"/image": good(bomb, "Content-Type: image/png",
				"Content-Encoding: gzip"),
			"/page": good(bomb, HTML, "Content-Encoding: gzip") };
		const conf = await startConf(stage, "");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args, orchestrator: STATUS,
			upstream: () => startHostile(stage, scripts) });
		const pid = tetherd.childPid("proxyd");
		const peak = () => Number(/VmHWM:\s+(\d+)/.exec(
			readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
		const ticks = () => readFileSync(`/proc/${pid}/stat`, "utf8")
			.split(") ")[1].split(" ").slice(11, 13).reduce(
				(sum, text) => sum + Number(text), 0);
		const before = ticks();
		for (const path of ["/", "/image", "/page"]) {
			const answer = await connection.request({ path,
				proxy_base: BASE });
			assert.equal(answer.status, 502, path);
			assert.equal(answer.json.error,
				"the web app's answer is too large");
		}
		const [most, spent] = [peak(), (ticks() - before) / 100];
		if (!process.env.TETHERD_BUILD?.includes("address")) {
			assert.ok(most < 200, `${most} MB`);
			assert.ok(spent < 4, `${spent} s of CPU`);
		}
		// No further than what all may have together.
		await conf.change("limits { memory 2M }\n", tetherd);
		assert.equal((await connection.request()).status, 503);
		await conf.change("limits { body 1M }\n", tetherd);
		assert.equal((await connection.request()).status, 502);
		assert.equal((await connection.request({ path: "/ok" })).status, 200);
	});

	scenario("of an event stream", async (stage) => {
		const head = (...fields) => lines("HTTP/1.1 200 OK",
			"Content-Type: text/event-stream", ...fields, "", "");
		const stream = (body, coding = "gzip") => Buffer.concat([Buffer.from(
			head(`Content-Encoding: ${coding}`,
				`Content-Length: ${body.length}`, "ETag: \"x\"")), body]);
		// Longer than a page takes at a time, from a few bytes.
		const long = `data: ${"x".repeat(5000000)}\n\n`;
		const scripts = {
			"/short": stream(gzip("data: 1\n\n")),
			"/long": stream(gzip(long)),
			"/deflate": stream(deflateSync(long), "deflate"),
			"/cut": stream(cut(gzip("data: 1\n\n"))),
			"/bad": stream(other("nonsense")),
			"/other": stream(other("as it is"), "br"),
		};
		const instance = await start(stage, scripts);
		const page = new Page(instance.connection);
		page.handle = await makeHandle(instance);
		const read = async (path) => {
			const tunnel = page.stream(path);
			const head = await deadline(tunnel.opened, 5000, "no head");
			const end = await deadline(tunnel.closed, 20000, "no end");
			return { head, end, text: tunnel.text };
		};
		for (const [path, wanted] of [["/short", "data: 1\n\n"],
			["/long", long], ["/deflate", long]]) {
			const { head: { headers }, end, text } = await read(path);
			assert.equal(text === wanted, true, `${path}: ${text.length}`);
			assert.equal(end.error, undefined, JSON.stringify(end));
			const names = headers.map(([name]) => name);
			assert.ok(!names.includes("content-encoding"));
			assert.ok(!names.includes("content-length"));
			assert.deepEqual(headers.find(([name]) => name === "etag"),
				["etag", "W/\"x\""]);
		}
		assert.match((await read("/cut")).end.error, /^502 /);
		assert.match((await read("/bad")).end.error, /^502 /);
		const { head: { headers }, text } = await read("/other");
		assert.equal(text, "as it is");
		assert.ok(headers.some(([name, value]) =>
			name === "content-encoding" && value === "br"));
	});
});
