// An upstream at an IPv6 address, in all that is asked of it.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe } from "node:test";

import { Browser, jwtOf } from "./lib/chat.mjs";
import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { echo, makeHandle, Page, startSocketUpstream } from
	"./lib/tunnel.mjs";

const RUNNING = "/api/providers/sessions/running";
const PREFIX = "/clients/box/proxy";

function say(req, res) {
	res.setHeader("Content-Type", "text/plain");
	res.end(`${req.method} ${req.url}`);
}

const hasIpv6 = await new Promise((resolve) => {
	const server = createServer();
	server.on("error", () => resolve(false));
	server.listen(0, "::1", () => server.close(() => resolve(true)));
});
const options = hasIpv6 ? { concurrency: 2 } : { skip: "no IPv6" };

// Of the upstream's paths that redirect: where to, by its host and port.
async function start(stage, locations = () => ({}), orchestrator = {}) {
	const upstream = await startSocketUpstream(stage, { address: "::1",
		watched: true, connected: echo, handle: (req, res) => {
			const to = locations(upstream.port)[req.url];
			if (req.url === RUNNING) {
				upstream.watched = req.headers;
				res.setHeader("Content-Type", "application/json");
				return res.end('{"data":{"sessions":[]}}');
			}
			return to === undefined ? say(req, res)
				: res.writeHead(302, { Location: to }).end();
		} });
	const conf = await startConf(stage, "upstream {\n" +
		`	address "0:0::1"\n	port ${upstream.port}\n}\n`);
	const instance = await startInstance(stage, { args: conf.args,
		orchestrator, upstream: () => upstream,
		env: { PORT: undefined } });
	return { ...instance, host: `[::1]:${upstream.port}` };
}

describe("an upstream at an IPv6 address", options, () => {
	scenario("requests", async (stage) => {
		const { connection, host, tetherd } = await start(stage);

		for (const [method, body] of [["GET", null], ["POST", "b"],
			["GET", null], ["DELETE", null]])
			assert.equal((await connection.request({ method, body,
				path: "/x" })).body, `${method} /x`);
		const { stdout } = await tetherctl(tetherd, "show", "status");
		assert.ok(stdout.includes(`http://${host}`), stdout);
	});

	scenario("redirects that are followed, and those that lead away",
		async (stage) => {
			const { connection } = await start(stage, (port) => ({
				"/rooted": "/end", "/relative": "end?x=1",
				"/whole": `http://[::1]:${port}/end`,
				"/long": `http://[0:0:0:0:0:0:0:1]:${port}/end`,
				"/scheme": `//[::1]:${port}/end`,
				"/port": `http://[::1]:${port + 1}/end`,
				"/v4": `http://127.0.0.1:${port}/end`,
				"/mapped": `http://[::ffff:127.0.0.1]:${port}/end`,
				"/other": `http://[::2]:${port}/end`,
				"/secure": `https://[::1]:${port}/end`,
				"/bare": `http://::1:${port}/end`,
			}));

			for (const [path, body] of [["/rooted", "GET /end"],
				["/relative", "GET /end?x=1"], ["/whole", "GET /end"],
				["/long", "GET /end"], ["/scheme", "GET /end"]])
				assert.equal((await connection.request({ path })).body,
					body, path);
			for (const path of ["/port", "/v4", "/mapped", "/other",
				"/secure", "/bare"])
				assert.equal((await connection.request({ path })).status,
					302, path);
		});

	scenario("redirects below the prefix", async (stage) => {
		const { connection } = await start(stage, (port) => ({
			"/whole": `http://[::1]:${port}/end?x=1` }),
		{ register: { capabilities: ["status"] } });
		const answer = await connection.request({ path: "/whole",
			proxy_base: PREFIX });

		assert.deepEqual([answer.status, answer.header("location")],
			[302, `${PREFIX}/end?x=1`]);
	});

	scenario("tunnels, chats, and what runs", async (stage) => {
		const all = await start(stage);
		const page = new Page(all.connection);
		page.handle = await makeHandle(all);

		const tunnel = page.open("/talk");
		assert.equal((await tunnel.opened).t, "open");
		await tunnel.send("across");
		assert.equal(await tunnel.messages.next(), "across");
		const chat = new Browser(all.connection).begin("chat.send", { n: 1 });
		assert.deepEqual(await chat.chunk(), { n: 1, type: "chat.send" });
		for (const { headers } of all.upstream.upgrades)
			assert.equal(headers.host, all.host);
		assert.equal(jwtOf(all.upstream.upgrades.at(-1)).username,
			"orchestrator");
		await until(() => all.upstream.watched, "not asked what runs");
		assert.equal(all.upstream.watched.host, all.host);
	});
});
