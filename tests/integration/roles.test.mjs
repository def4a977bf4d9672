// Who may only look: methods, paths, and what people are told.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const OCTOCAT = identity(583231, "octocat");
const MONA = identity(7, "Mona");
const REASON = "your access is read-only";
const ADVICE = "Ask the operator of this instance for full access: " +
	"policy users, or tetherctl users role LOGIN full.";
const CLOSED = "this path is closed on this instance";
const RULES = "users { octocat }\n\tread-only users { mona }";

const policy = (rules) => `policy {\n\t${rules}\n}\n`;
const through = (req, res) => res.end("let through");

const assertRefused = (answer, reason, advice) => {
	assert.equal(answer.status, 403);
	assert.equal(answer.header("content-type"), "application/json");
	assert.equal(answer.header("cache-control"), "no-store");
	assert.equal(answer.header("x-tether-denied"), reason);
	assert.equal(answer.json.error, reason);
	if (advice !== undefined)
		assert.equal(answer.json.advice, advice);
};
const assertThrough = (answer) => {
	assert.equal(answer.status, 200);
	assert.equal(answer.header("x-tether-denied"), null);
};

describe("roles", { concurrency: 2 }, () => {
	scenario("methods", async (stage) => {
		const { args } = await startConf(stage, policy(RULES));
		const { connection, upstream } = await startInstance(stage, {
			args, handle: through });
		const ask = (method, headers) => connection.request({ method,
			path: "/api/x", headers });

		for (const method of ["GET", "HEAD", "get"])
			assertThrough(await ask(method, MONA));
		const { length } = upstream.requests.items;
		await eachRow(["POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"post", "PROPFIND", "QUERY"].map((method) => [method]),
		async ([method]) => {
			assertRefused(await ask(method, MONA), REASON, ADVICE);
		});
		assert.equal(upstream.requests.items.length, length);
		for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
			assertThrough(await ask(method, OCTOCAT));
			assertThrough(await ask(method, []));
		}
	});

	scenario("the page's own resources stay", async (stage) => {
		const { args } = await startConf(stage, policy(RULES));
		const { connection } = await startInstance(stage, { args,
			handle: through });
		const ask = (method, path, headers = MONA) =>
			connection.request({ method, path, headers,
				proxy_base: "/clients/box/proxy" });

		const made = await ask("POST", "/__tether/handle");
		assert.equal(made.status, 200);
		assert.match(made.json.handle, /^tether_/);
		assert.equal((await ask("GET", "/__tether/page.js")).status, 200);
		assertRefused(await ask("POST", "/__tether/handle", []),
			"nobody is signed in");
	});

	scenario("they change by reload", async (stage) => {
		const conf = await startConf(stage, policy("users { octocat }"));
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args, handle: through });
		const ask = () => connection.request({ method: "POST",
			path: "/x", headers: OCTOCAT });
		const change = (rules) => conf.change(policy(rules), tetherd);

		assertThrough(await ask());
		await change("read-only users { octocat }");
		assertRefused(await ask(), REASON);
		// The first rule that matches.
		await change("users { octocat }\n\tread-only users { octocat }");
		assertThrough(await ask());
		await change("users { mona }");
		const refused = await ask();
		assert.equal(refused.status, 403);
		assert.notEqual(refused.json.error, REASON);
		assert.equal(tetherd.all("proxyd: started").length, 1);
	});

	scenario("paths closed for one role", async (stage) => {
		const conf = await startConf(stage, policy(`${RULES}\n` +
			"\tdeny path \"/all\"\n\tfull deny path { \"/full\" }\n" +
			"\tread-only deny path { \"/ro\" \"/ro2\" }"));
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args, handle: through });
		const rows = [
			// path, whether octocat, mona and nobody may
			["/x", true, true, true],
			["/all", false, false, false],
			["/full", false, true, false],
			["/x/../FULL/x", false, true, false],
			["/ro", true, false, false],
			["/%72o2?x", true, false, false],
			["/rox", true, true, true],
		];

		await eachRow(rows, async ([path, ...may]) => {
			for (const [i, headers] of [OCTOCAT, MONA, []].entries()) {
				const answer = await connection.request(
					{ path, headers });
				if (may[i])
					assertThrough(answer);
				else
					assertRefused(answer, CLOSED);
			}
		});
		await conf.change(policy(`${RULES}\n` +
			"\tread-only deny path { \"/x\" }"), tetherd);
		const ask = (path, headers) =>
			connection.request({ path, headers });
		assertThrough(await ask("/full", OCTOCAT));
		assertThrough(await ask("/ro", MONA));
		assertRefused(await ask("/x", MONA), CLOSED);
	});

	scenario("redirections", async (stage) => {
		const { args } = await startConf(stage, policy(`${RULES}\n` +
			"\tread-only deny path \"/ro\""));
		const { connection, upstream } = await startInstance(stage, {
			args,
			handle: (req, res) => {
				const [, status, to] =
					/^\/go\/(\d+)(.*)$/.exec(req.url) ?? [];
				if (status === undefined)
					return res.end("let through");
				res.writeHead(Number(status), { Location: to });
				res.end();
			},
		});
		const ask = (path, headers = MONA) =>
			connection.request({ path, headers });

		for (const status of [301, 302, 303, 307, 308]) {
			assertThrough(await ask(`/go/${status}/x`));
			assert.equal(upstream.requests.items.at(-1).method, "GET");
			assertRefused(await ask(`/go/${status}/ro`), CLOSED);
			assertRefused(await ask(`/go/302/go/${status}/x/../ro/y`),
				CLOSED);
			assertThrough(await ask(`/go/${status}/ro`, OCTOCAT));
		}
		const { length } = upstream.requests.items;
		assertRefused(await connection.request({ method: "POST",
			path: "/go/303/x", headers: MONA }), REASON);
		assert.equal(upstream.requests.items.length, length);
	});

	scenario("pages and other answers", async (stage) => {
		const { args } = await startConf(stage, policy(`${RULES}\n` +
			"\tdeny path \"/closed\""));
		const { connection, tetherd } = await startInstance(stage, {
			args, handle: through });
		const ask = (more, members) => connection.request({
			path: "/closed/<b>?token=secret-q", ...members,
			headers: [...(members?.headers ?? MONA), ...more] });
		const html = ["Accept", "text/html,application/xhtml+xml,*/*"];
		const mode = (name) => ["Sec-Fetch-Mode", name];
		const isPage = ({ headers }) => headers.some(([, value]) =>
			value === "text/html; charset=utf-8");

		await eachRow([
			[[], false], [[html], true], [[mode("navigate")], true],
			[[html, mode("cors")], false],
			[[html, mode("navigate")], true],
			[[["Accept", "application/json"]], false],
			[[["Accept", "*/*"]], false],
			[[html], false, { method: "POST" }],
			[[html, mode("navigate")], true, { method: "POST" }],
			[[html, mode("no-cors")], false],
			[[html, mode("navigate"), mode("cors")], false],
		], async ([headers, page, members]) => {
			const answer = await ask(headers, members);
			assert.equal(answer.status, 403);
			assert.equal(isPage(answer), page);
			assert.equal(answer.header("cache-control"), "no-store");
		});

		const page = await ask([mode("navigate")]);
		assert.match(page.body, /<title>Access denied<\/title>/);
		assert.match(page.body, new RegExp(`<p>${CLOSED}</p>`));
		assert.match(page.body, /Ask the operator of this instance/);
		assert.match(page.body, /<bdi>Mona<\/bdi>/);
		assert.match(page.body, /GET \/closed\/%3Cb%3E</);
		assert.doesNotMatch(page.body, /<script|secret-q|https?:/);
		const [, style] = /<style>([^]*)<\/style>/.exec(page.body);
		const hash = createHash("sha256").update(style).digest("base64");
		assert.equal(page.header("content-security-policy"),
			`default-src 'none'; style-src 'sha256-${hash}'; ` +
			"base-uri 'none'; form-action 'none'; " +
			"frame-ancestors 'self'");
		// Nothing is put into it, whatever it lives under.
		const under = await ask([mode("navigate")],
			{ proxy_base: "/clients/box/proxy" });
		assert.equal(under.body, page.body);

		const nobody = await ask([html], { headers: [] });
		assert.match(nobody.body, /Nobody is signed in/);
		const hostile = await ask([html],
			{ headers: identity(8, "<script>\u202e\"&") });
		assert.equal(hostile.status, 403);
		assert.match(hostile.body,
			/<bdi>&#60;script&#62;\u202e&#34;&#38;<\/bdi>/);
		assert.doesNotMatch(hostile.body, /<script/);

		const head = await ask([html], { method: "HEAD" });
		assert.equal(head.status, 403);
		assert.equal(head.body, "");
		assert.equal(head.header("x-tether-denied"), CLOSED);
		assert.ok(isPage(head));
		assert.deepEqual(tetherd.all("secret-q"), []);
	});

	scenario("the upstream cannot say it in our name", async (stage) => {
		const { connection } = await startInstance(stage, {
			handle: (req, res) => {
				res.setHeader("X-Tether-Denied", "pay here");
				res.statusCode = 403;
				res.end();
			},
		});
		const answer = await connection.request({ path: "/",
			headers: OCTOCAT, proxy_base: "/clients/box/proxy" });
		assert.equal(answer.status, 403);
		assert.equal(answer.header("x-tether-denied"), null);
	});
});
