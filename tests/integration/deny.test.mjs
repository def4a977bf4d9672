// Paths of the upstream that the configuration closes for everybody.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, startPage } from "./lib/tunnel.mjs";

const OCTOCAT = identity(583231, "octocat");
const REASON = "this path is closed on this instance";
const ADVICE = "Ask the operator of this instance if you need it: " +
	"policy deny path.";
const CLOSED = "policy {\n\tdeny path { \"/shell\", \"/api/git\" }\n}\n";

const assertClosed = (answer) => {
	assert.equal(answer.status, 403);
	assert.equal(answer.header("content-type"), "application/json");
	assert.deepEqual(answer.json, { error: REASON, advice: ADVICE });
};

describe("closed paths", { concurrency: 2 }, () => {
	scenario("no spelling gets around it", async (stage) => {
		const { args } = await startConf(stage, CLOSED);
		const { connection, upstream } = await startInstance(stage, {
			args, handle: (req, res) => res.end("let through") });
		const ask = (path, method = "GET") =>
			connection.request({ path, method, headers: OCTOCAT });

		await eachRow([
			["/shell"], ["/shell/"], ["/shell/x"], ["/shell?x=1"],
			["/SHELL"], ["/%73hell"], ["/%53%48ell/x"], ["//shell"],
			["/x/../shell"], ["/x/%2e%2e/shell"], ["/x%2f..%2fshell"],
			["/./shell"], ["/\\shell"], ["/x/..\\shell"],
			["/%5cshell"], ["//host/shell"], ["/shell/../x"],
			["/api//git"], ["/api/x/../git/status"], ["/API/Git"],
			["/api%2fgit"], ["/shell;a=b"], ["/shell#x"],
			["/shell", "POST"], ["/shell", "DELETE"],
		], async ([path, method]) =>
			assertClosed(await ask(path, method)));
		assert.deepEqual(upstream.requests.items, [], "got through");

		await eachRow([
			["/"], ["/shells"], ["/x/shell"], ["/api"], ["/api/gitx"],
			["/x?path=/shell"], ["/x?/../shell"], ["/%2573hell"],
			["/shell.html"], ["/a%20b"],
		], async ([path]) => {
			const answer = await ask(path);
			assert.equal(answer.status, 200);
			assert.equal(answer.bytes.toString(), "let through");
		});
	});

	scenario("nobody is no exception, and the page script stays",
		async (stage) => {
			const { args } = await startConf(stage,
				"policy { deny path \"/\" }\n");
			const { connection } = await startInstance(stage, { args });

			assertClosed(await connection.request({ path: "/" }));
			assertClosed(await connection.request(
				{ path: "/api/whoami", headers: OCTOCAT }));
			const script = await connection.request({
				path: "/__tether/page.js",
				proxy_base: "/clients/box/proxy" });
			assert.equal(script.status, 200);
		});

	scenario("a redirection does not lead there", async (stage) => {
		const { args } = await startConf(stage, CLOSED);
		const { connection, upstream } = await startInstance(stage, {
			args,
			handle: (req, res) => {
				res.writeHead(302, { Location: req.url.slice(4) });
				res.end();
			},
		});
		for (const to of ["/shell", "/x/../shell", "/%73hell?y",
			`http://127.0.0.1:${upstream.port}/api/git`])
			assertClosed(await connection.request(
				{ path: `/go?${to}`, headers: OCTOCAT }));
		assert.ok(upstream.requests.items.every(
			({ url }) => url.startsWith("/go?")));
	});

	scenario("tunnels and streams", async (stage) => {
		const { args } = await startConf(stage, CLOSED);
		const { page, upstream } = await startPage(stage, {
			args, connected: echo });

		for (const path of ["/shell", "/x/%2e%2e/shell?a", "/Shell/x"]) {
			const refused = await deadline(page.open(path).closed, 5000,
				`open: ${path}`);
			assert.equal(refused.code, 1006);
			assert.equal(refused.reason, `403 ${REASON}`);
			const stream = await deadline(page.stream(path).closed, 5000,
				`open: ${path}`);
			assert.equal(stream.error, `403 ${REASON}`);
		}
		assert.equal(upstream.upgrades.length, 0);
		const tunnel = page.open("/ws?path=/shell");
		assert.equal((await tunnel.opened).t, "open");
	});

	scenario("a reload ends open WebSockets", async (stage) => {
		const conf = await startConf(stage, "");
		const { page, upstream, tetherd } = await startPage(stage, {
			args: conf.args, connected: echo });
		const tunnel = page.open("/shell/1");
		await deadline(tunnel.opened, 5000, "not open");
		const far = await upstream.sockets.next();
		const other = page.open("/ws");
		await deadline(other.opened, 5000, "not open");

		await conf.change(CLOSED, tetherd);
		const end = await deadline(tunnel.closed, 5000, "not closed");
		assert.equal(end.code, 1008);
		assert.equal(end.reason, REASON);
		assert.equal((await far.closed).code, 1001);
		await other.send("still there");
		assert.equal(await other.messages.next(), "still there");
	});

	scenario("a reload ends open streams", async (stage) => {
		const conf = await startConf(stage, "");
		const { page, tetherd } = await startPage(stage, {
			args: conf.args,
			handle: (req, res) => /silent/.test(req.url) || res.write("a") });
		const stream = page.stream("/api/git/log");
		const opening = page.stream("/shell/silent");
		await deadline(stream.opened, 5000, "not open");

		await conf.change(CLOSED, tetherd);
		for (const { closed } of [stream, opening])
			assert.equal((await deadline(closed, 5000,
				"not closed")).error, `403 ${REASON}`);
	});

	scenario("a reload closes and opens them", async (stage) => {
		const conf = await startConf(stage, "");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args });
		const ask = () => connection.request(
			{ path: "/api/whoami", headers: OCTOCAT });

		assert.equal((await ask()).status, 200);
		await conf.change("policy { deny path \"/api/whoami\" }\n", tetherd);
		assertClosed(await ask());
		await conf.change("", tetherd);
		assert.equal((await ask()).status, 200);
		assert.equal(tetherd.all("proxyd: started").length, 1);
	});
});
