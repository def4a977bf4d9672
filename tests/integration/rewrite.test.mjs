// What becomes of answers under a prefix.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { startRawUpstream } from "./lib/upstream.mjs";

const BASE = "/clients/box/proxy";
const WHO = identity(583231, "octocat");
const STATUS = { register: { capabilities: ["status", "base64"] } };

// An upstream whose answers are laid down by path: [headers, body, status].
const start = (stage, answers, options) => startInstance(stage, {
	handle: (req, res) => {
		const [headers, body, status = 200] =
			answers[req.url.split("?")[0]] ?? answers["*"];
		res.writeHead(status, headers);
		res.end(body);
	},
	orchestrator: STATUS,
	...options,
});
const type = (name) => ({ "Content-Type": name });

// Ask for something under the prefix, as a person.
const get = (connection, path, members = {}) => connection.request({
	path, proxy_base: BASE, headers: WHO, ...members });

const island = (page) => JSON.parse(
	/<script type="application\/json" id="tetherd-page">(.*?)<\/script>/
		.exec(page)[1]);
const inline = (page) => /<\/script><script>(.*?)<\/script>/s.exec(page)[1];

describe("rewriting", { concurrency: 4 }, () => {
	scenario("each kind of body", async (stage) => {
		const answers = {};
		const { connection } = await start(stage, answers);
		await eachRow([
			["/a.css", "text/css", "a{b:url('/c.png')}",
				`a{b:url('${BASE}/c.png')}`],
			["/a.js", "text/javascript", "f(\"/api/x\", '/other')",
				`f("${BASE}/api/x", '/other')`],
			["/manifest.json", "application/json",
				"{\"start_url\":\"/\",\"n\":1}",
				`{"start_url":"${BASE}/","n":1}`],
			// Byte for byte.
			["/a.txt", "text/plain", "<a href=/x>"],
			["/data.json", "application/json", "{\"a\":\"/api/x\"}"],
			["/a.svg", "image/svg+xml", "<svg><a href='/x'/></svg>"],
			["/api/file", "text/html", "<a href=/x>"],
			["/api/file.js", "text/javascript", "f('/api/x')"],
			["/api/file.css", "text/css", "a{b:url(/c)}"],
		], async ([path, contentType, body, expected = body]) => {
			answers[path] = [{ ...type(contentType),
				"Content-Length": Buffer.byteLength(body) }, body];
			const answer = await get(connection, path);
			assert.equal(answer.body, expected);
			assert.equal(answer.header("content-length"),
				String(Buffer.byteLength(expected)));
			// Without a prefix nothing is touched.
			const plain = await connection.request({ path });
			assert.equal(plain.body, body);
		});
	});

	scenario("a page", async (stage) => {
		const before = "<!doctype html><html><head>";
		const after = "<link href=./x><a href=\"/b\">é</a></html>\u0000";
		const { connection } = await start(stage, {
			"*": [{ ...type("text/html"), "ETag": "\"x\"",
				"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
				"Cache-Control": "public, max-age=9" },
			before + after],
		});
		const answer = await get(connection, "/deep/link");

		assert.ok(answer.body.startsWith(
			`${before}<script type="application/json"`));
		assert.ok(answer.body.endsWith("</script>" +
			after.replace("\"/b\"", `"${BASE}/b"`)));
		const { handle, ...rest } = island(answer.body);
		assert.deepEqual(rest,
			{ base: BASE, client: "box", login: "octocat" });
		assert.match(handle, /^tether_[\w-]{43}$/);
		assert.equal(answer.header("cache-control"), "no-store");
		assert.equal(answer.header("etag"), null);
		assert.equal(answer.header("last-modified"), null);
		assert.match(answer.header("content-type"),
			/^text\/html; ?charset=utf-8$/i);

		// The next one is another; the script is the same.
		const again = await get(connection, "/");
		assert.notEqual(island(again.body).handle, handle);
		assert.equal(inline(again.body), inline(answer.body));

		// Nobody known, or a script that fetches: no handle.
		const fetched = [...WHO, ["Sec-Fetch-Dest", "empty"]];
		for (const headers of [[], fetched]) {
			const page = await get(connection, "/", { headers });
			assert.equal(island(page.body).handle, "");
			assert.equal(island(page.body).login, "");
		}
	});

	scenario("a page's policy allows our script by its hash",
		async (stage) => {
			const { connection } = await start(stage, {
				"*": [{ ...type("text/html"), "Content-Security-Policy":
					"default-src 'self'; script-src 'self'" }, "<head>"],
			});
			const page = await get(connection, "/");
			const sum = createHash("sha256")
				.update(inline(page.body)).digest("base64");
			assert.equal(page.header("content-security-policy"),
				`default-src 'self'; script-src 'self' 'sha256-${sum}'`);
		});

	scenario("the script as a file", async (stage) => {
		const { connection, upstream } = await start(stage,
			{ "*": [type("text/html"), "<head>"] },
			{ env: { TETHERD_PAGE_SCRIPT: "external" } });
		const page = (await get(connection, "/")).body;
		const [, source] = /<script src="([^"]+)"><\/script>/.exec(page);
		assert.ok(source.startsWith(`${BASE}/__tether/page.js?v=`));
		assert.ok(island(page).handle);
		upstream.requests.items.length = 0;

		const [path, query] = source.slice(BASE.length).split("?");
		const file = await get(connection, path, { query });
		assert.equal(file.status, 200);
		assert.match(file.header("content-type"), /^text\/javascript/);
		assert.match(file.header("cache-control"), /immutable/);
		assert.match(file.body, /__ORCHESTRATOR_PROXY_BASE__/);
		for (const other of [null, "v=0.0.0.older", `${query}&a`, "a"])
			assert.equal((await get(connection, path, { query: other }))
				.header("cache-control"), "no-store");
		assert.equal(upstream.requests.items.length, 0);
	});

	scenario("resources of our own", async (stage) => {
		const { connection, upstream } = await start(stage,
			{ "*": [type("text/plain"), "the app's"] });
		const post = { method: "POST", body: "" };
		const handle = await get(connection, "/__tether/handle", post);
		assert.equal(handle.status, 200);
		assert.match(handle.json.handle, /^tether_[\w-]{43}$/);
		assert.equal(handle.header("cache-control"), "no-store");
		await eachRow([
			[405, "/__tether/handle", {}],
			[405, "/__tether/page.js", post],
			[404, "/__tether/", {}],
			[404, "/__tether/handle/x", post],
			[403, "/__tether/handle", { ...post, headers: [] }],
		], async ([status, path, members]) => {
			const answer = await get(connection, path, members);
			assert.equal(answer.status, status);
			assert.equal(typeof answer.json.error, "string");
		});
		assert.equal(upstream.requests.items.length, 0);
		// Where there is no prefix, it is the app's.
		const app = await get(connection, "/__tether/page.js",
			{ proxy_base: null });
		assert.equal(app.body, "the app's");
	});

	scenario("a service worker gets a prologue", async (stage) => {
		const { connection } = await start(stage,
			{ "*": [type("text/javascript"), "the(\"/assets/x\");"] });
		const end = `the("${BASE}/assets/x");`;
		const asks = [["Service-Worker", "script"]];
		await eachRow([
			["/sw.js", [], true],
			["/other.js", asks, true],
			["/other.js", [], false],
		], async ([path, headers, prologue]) => {
			const { body } = await get(connection, path,
				{ headers: [...WHO, ...headers] });
			assert.ok(body.endsWith(end));
			assert.equal(body.length > end.length, prologue);
			assert.equal(body.includes(`"base":"${BASE}"`), prologue);
			assert.doesNotMatch(body, /tether_[\w-]{43}|octocat/);
		});
	});

	scenario("header fields", async (stage) => {
		const headers = {
			"Content-Type": "text/plain",
			"Location": "/login",
			"Content-Location": "/x",
			"Link": "</a.css>; rel=preload",
			"Set-Cookie": ["a=b; Path=/; HttpOnly", "c=d"],
			"X-Refreshed-Token": "secret",
			"Strict-Transport-Security": "max-age=1",
			"ETag": "\"same\"",
		};
		const { connection } = await start(stage,
			{ "*": [headers, "x", 201] });
		const answer = await get(connection, "/");
		assert.equal(answer.status, 201);
		assert.equal(answer.header("location"), `${BASE}/login`);
		assert.equal(answer.header("content-location"), `${BASE}/x`);
		assert.equal(answer.header("link"),
			`<${BASE}/a.css>; rel=preload`);
		assert.deepEqual(answer.headers.filter(([n]) =>
			n === "set-cookie").map(([, v]) => v),
			[`a=b; HttpOnly; Path=${BASE}/`, `c=d; Path=${BASE}/`]);
		assert.equal(answer.header("x-refreshed-token"), null);
		assert.equal(answer.header("strict-transport-security"), null);
		assert.equal(answer.header("etag"), "\"same\"");
	});

	scenario("a rewritten body is revalidated", async (stage) => {
		let asked;
		const { connection } = await startInstance(stage, {
			orchestrator: STATUS,
			handle: (req, res) => {
				asked = req.headers;
				const same = req.headers["if-none-match"] === "W/\"x\"";
				res.writeHead(same ? 304 : 200, {
					...type("text/javascript"), "ETag": "W/\"x\"",
					"Cache-Control": "public, max-age=99999, immutable",
				});
				res.end(same ? undefined : "f('/api/x')");
			},
		});
		const path = "/assets/a.js";
		const first = await get(connection, path);
		const tag = first.header("etag");
		assert.match(tag, /^W\/"tether:[\w.]+:w:x"$/);
		assert.equal(first.header("cache-control"),
			"public, max-age=3600, must-revalidate");

		const condition = (value) => get(connection, path,
			{ headers: [...WHO, ["If-None-Match", value]] });
		const second = await condition(tag);
		assert.equal(second.status, 304);
		assert.equal(second.header("etag"), tag);
		assert.equal(second.body, "");
		// What the upstream says itself, or another version of ours said,
		// is about another body.
		const older = tag.replace(/\.\w+:w/, ".older:w");
		assert.notEqual(older, tag);
		for (const other of ["W/\"x\"", older]) {
			const answer = await condition(other);
			assert.equal(answer.status, 200);
			assert.equal(asked["if-none-match"], undefined);
		}
	});

	scenario("a proxy_base that is no plain path is not used",
		async (stage) => {
			const page = "<head><a href=/x>";
			const { connection, tetherd } = await start(stage,
				{ "*": [type("text/html"), page] });
			await eachRow(["//evil", "/\\evil", "clients/box", "/", "/a//b",
				"/a/../b", "/a\"b", "/a'b", "/a<b", "/a b", "/a\nb",
				"/a?b", "/a#b", "/a;b", "/é", "/a%zz", "javascript:x",
			], async (proxy_base) => {
				const answer = await get(connection, "/", { proxy_base });
				assert.equal(answer.status, 200);
				assert.equal(answer.body, page);
			});
			await tetherd.line(/proxy_base is not a plain path.*\/\/evil/);
			const said = tetherd.lines.filter((line) =>
				line.includes("proxy_base"));
			assert.equal(said.length, 1, "once is enough");
			const good = await get(connection, "/");
			assert.notEqual(good.body, page);
		});

	scenario("redirections that are followed here", async (stage) => {
		const { connection } = await startInstance(stage, {
			handle: (req, res) => {
				if (req.url === "/old")
					res.writeHead(302, { "Location": "/api/page" });
				else if (req.url === "/api/login")
					res.writeHead(302, { "Location": "/",
						...type("text/html") });
				else
					res.writeHead(200, type("text/html"));
				res.end("<a href=/x>");
			},
		});
		const answer = await get(connection, "/old");
		assert.equal(answer.status, 200);
		assert.equal(answer.body, "<a href=/x>", "it came from /api/");
		const page = await get(connection, "/api/login");
		assert.ok(page.body.endsWith(`<a href=${BASE}/x>`));
		assert.match(island(page.body).handle, /^tether_/);
	});

	scenario("large bodies, and HEAD", async (stage) => {
		const unit = "f('/api/x');".padEnd(997, "x");
		const body = unit.repeat(5000);
		const { connection } = await start(stage, {
			"*": [{ ...type("text/javascript"),
				"Content-Length": body.length }, body],
		});
		const answer = await get(connection, "/a.js");
		assert.equal(answer.body, body.replaceAll("/api", `${BASE}/api`));
		const head = await get(connection, "/a.js", { method: "HEAD" });
		assert.equal(head.status, 200);
		assert.equal(head.body, "");
		assert.equal(head.header("content-length"), null);
	});

	scenario("lengths that mean nothing do not get through",
		async (stage) => {
			let reply;
			const { connection } = await startInstance(stage, {
				orchestrator: STATUS,
				upstream: (on) => startRawUpstream(on,
					(socket) => socket.end(reply)),
			});
			const chunks = "Content-Length: 5\r\n" +
				"Transfer-Encoding: chunked\r\n\r\n" +
				"9\r\nf('/ws/x'\r\n0\r\nX-Refreshed-Token: s\r\n\r\n";
			const same = "Content-Length: 8\r\n";
			await eachRow([
				["200", `Content-Type: text/plain\r\n${chunks}`, null,
					"f('/ws/x'"],
				["200", `Content-Type: text/css\r\n${same}${same}\r\n` +
					"url(/.a)", "26", `url(${BASE}/.a)`],
				["304", "Content-Length: 5\r\n\r\n", null, ""],
				["204", "Content-Length: 5\r\n\r\nhello", null, ""],
				["200", `Content-Type: text/javascript\r\n${chunks}`, null,
					`f('${BASE}/ws/x'`],
			], async ([status, rest, length, body]) => {
				reply = `HTTP/1.1 ${status} X\r\n${rest}`;
				const answer = await get(connection, "/a");
				assert.equal(answer.status, Number(status));
				assert.equal(answer.body, body);
				const lengths = answer.headers.filter(([name]) =>
					name === "content-length").map(([, value]) => value);
				assert.deepEqual(lengths, length === null ? [] : [length]);
				assert.equal(answer.header("x-refreshed-token"), null);
			});
		});

	scenario("what is not UTF-8 keeps its bytes", async (stage) => {
		const body = Buffer.from("<head><a href=/x>\xe9", "latin1");
		const { connection } = await start(stage,
			{ "*": [type("text/html"), body] });
		const answer = await get(connection, "/");
		assert.equal(answer.header("x-orch-encoding"), "base64");
		assert.equal(answer.header("content-type"), "text/html");
		assert.ok(answer.bytes.toString("latin1")
			.endsWith(`<a href=${BASE}/x>\xe9`));
	});
});
