// The way to the GitHub API: sockets, TLS, proxies, and all that may go wrong.

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startGithub } from "./lib/github.mjs";
import { startHttpProxy } from "./lib/http-proxy.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { Queue, until } from "./lib/time.mjs";

const TOKEN = "ghp_the_token_of_this_instance";
const VERSION = "2022-11-28";
// Who cannot be asked about within this time is refused.
const LATE_MS = 8000;

// The token's owner and people number 1 to n, all of acme.
function people(n) {
	const all = { robot: { id: 1000, token: TOKEN } };
	const members = { robot: "active" };

	for (let i = 1; i <= n; i++) {
		all[`person${i}`] = { id: i };
		members[`person${i}`] = "active";
	}
	return { people: all, orgs: { acme: { members } } };
}

const settings = (github) => `policy { org acme }
github {
	api url "${github.url}"
	token "${TOKEN}"
	${github.caFile ? `ca file "${github.caFile}"` : ""}
}
`;

async function start(stage, { github: options, n = 40, env } = {}) {
	const github = await startGithub(stage, { ...people(n), ...options });
	const conf = await startConf(stage, settings(github));
	const instance = await startInstance(stage, {
		args: conf.args,
		env,
		handle: (req, res) => res.end("let in"),
	});
	let next = 0;
	// Somebody of whom nothing is known yet.
	const ask = () => {
		next++;
		return instance.connection.request({ path: "/",
			headers: identity(next, `person${next}`) });
	};
	return { github, conf, ask, ...instance };
}

const assertIn = (answer) => assert.equal(answer.status, 200, answer.body);
const assertOut = (answer) => assert.equal(answer.status, 403, answer.body);

describe("GitHub", { concurrency: 2 }, () => {
	for (const tls of [true, false])
		scenario(tls ? "over TLS" : "in the clear, on this host",
			async (stage) => {
				const { github, ask } = await start(stage,
					{ github: { tls } });
				for (let i = 0; i < 10; i++)
					assertIn(await ask());
				const [first] = github.requests;
				assert.equal(first.method, "GET");
				assert.equal(first.path,
					"/orgs/acme/memberships/person1");
				const { "user-agent": agent, ...headers } = first.headers;
				assert.match(agent, /^tetherd\/\d/);
				assert.deepEqual(headers, {
					"host": new URL(github.url).host,
					"accept": "application/vnd.github+json",
					"x-github-api-version": VERSION,
					"authorization": `Bearer ${TOKEN}`,
				});
				assert.equal(github.connections, 1);
				if (tls)
					assert.deepEqual(github.servernames,
						["localhost"]);
			});

	scenario("many at once", async (stage) => {
		const { github, ask } = await start(stage);
		const answers = await Promise.all(
			Array.from({ length: 40 }, () => ask()));
		answers.forEach(assertIn);
		// Each of eight may have asked for a socket that a connection
		// which got free meanwhile made needless.
		assert.ok(github.connections <= 16, `${github.connections}`);
	});

	scenario("connections that it closed", async (stage) => {
		const { github, ask } = await start(stage);
		for (let i = 1; i <= 5; i++) {
			assertIn(await ask());
			assert.equal(github.connections, i);
			github.dropConnections();
		}
		github.fault(/memberships/, { drop: true, times: 1 });
		assertOut(await ask());
		assertIn(await ask());
	});

	scenario("away, and there again", async (stage) => {
		const { github, ask, tetherd } = await start(stage);
		assertIn(await ask());
		await github.close();
		assertOut(await ask());
		await tetherd.line(/can't connect to localhost port \d+/);
		assertOut(await ask());
		await github.listen();
		assertIn(await ask());
	});
});

describe("certificates", { concurrency: 2 }, () => {
	for (const [certificate, why] of [
		["wrong-name", /localhost/],
		["expired", /expired/],
	])
		scenario(certificate, async (stage) => {
			const { github, ask, tetherd } = await start(stage,
				{ github: { certificate } });
			assertOut(await ask());
			assert.match(await tetherd.line(/authd.*certificate/), why);
			assert.equal(github.requests.length, 0);
		});

	scenario("of an authority that nobody knows", async (stage) => {
		const { github, conf, ask, tetherd } = await start(stage);
		assertIn(await ask());
		// The connection that was good before is not used any more.
		await conf.change(settings({ url: github.url }), tetherd);
		assertOut(await ask());
		await tetherd.line(/authd.*certificate/);
		assert.equal(github.requests.length, 1);
		await conf.change(settings(github), tetherd);
		assertIn(await ask());
	});
});

describe("answers", () => {
	scenario("that are none", async (stage) => {
		const { github, ask } = await start(stage);
		await eachRow([
			[{ drop: true }], [{ drop: "body" }],
			[{ raw: "HTTP/1.1 200 OK\r\n" }], [{ raw: "no" }],
			[{ status: 500 }], [{ status: 302 }],
			[{ redirect: "/user" }], [{ body: "no JSON" }],
			[{ body: "[]" }], [{ body: "" }], [{ huge: 300000 }],
			[{ huge: 50000000 }],
			[{ headers: { "x-long": "x".repeat(50000) } }],
			[{ limit: { after: 1 }, times: 1 }],
		], async ([fault]) => {
			const end = github.fault(/./, fault);
			const answer = await ask();
			end();
			assertOut(answer);
			if (fault.limit)
				await new Promise((resolve) =>
					setTimeout(resolve, 1100));
			assertIn(await ask());
		});
	});

	scenario("that are late", async (stage) => {
		const { github, ask } = await start(stage);
		assertIn(await ask());
		await Promise.all([{ hang: true }, { hang: "head" },
			{ hang: "body" }, { drip: 500 }, { delay: 20000 }]
			.map(async (fault, i) => {
				const path = `/orgs/acme/memberships/person${i + 2}`;
				github.fault(path, fault);
				const began = Date.now();
				assertOut(await ask());
				const took = Date.now() - began;
				assert.ok(took > LATE_MS - 200 &&
					took < LATE_MS + 8000, `${took} ms`);
			}));
		assertIn(await ask());
	});
});

describe("HTTPS_PROXY", { concurrency: 2 }, () => {
	scenario("is used for it", async (stage) => {
		const proxy = await startHttpProxy(stage);
		const { github, ask } = await start(stage, { env: {
			HTTPS_PROXY: `http://us%65r:p%40ss@127.0.0.1:${proxy.port}`,
		} });
		assertIn(await ask());
		assertIn(await ask());
		const { target, headers } = await proxy.tunnels.next();
		assert.equal(target, `localhost:${github.port}`);
		assert.equal(headers["proxy-authorization"],
			`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
		assert.equal(proxy.tunnels.length, 0);
		assert.deepEqual(github.servernames, ["localhost"]);
	});

	scenario("but not where NO_PROXY says so", async (stage) => {
		const proxy = await startHttpProxy(stage);
		const { ask } = await start(stage, { env: {
			HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
			NO_PROXY: "localhost",
		} });
		assertIn(await ask());
		assert.equal(proxy.tunnels.length, 0);
	});

	scenario("that refuses", async (stage) => {
		const proxy = await startHttpProxy(stage,
			{ refuse: "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n" });
		const { ask, tetherd } = await start(stage, { env: {
			HTTPS_PROXY: `http://u:secret@127.0.0.1:${proxy.port}`,
		} });
		assertOut(await ask());
		assert.doesNotMatch(await tetherd.line(/authd.*407/), /secret/);
		proxy.refuse = undefined;
		assertIn(await ask());
	});
});

// A server that takes connections, and no more than that.
async function startSilent(stage) {
	const silent = { sockets: new Queue("connections") };
	const server = createServer((socket) => {
		socket.on("error", () => {});
		silent.sockets.push(socket);
		stage.atEnd(() => socket.destroy());
	});
	await new Promise((resolve) =>
		server.listen(0, "127.0.0.1", resolve));
	silent.port = server.address().port;
	stage.atEnd(() => server.close());
	return silent;
}

describe("change", { concurrency: 2 }, () => {
	scenario("another API by reload", async (stage) => {
		const { github, conf, ask, tetherd } = await start(stage);
		const other = await startGithub(stage, people(40));
		// In a folder that was named at the start: no other is in reach.
		const caFile = join(dirname(github.caFile), "other.pem");
		await copyFile(other.caFile, caFile);
		assertIn(await ask());
		await conf.change(settings({ url: other.url, caFile }), tetherd);
		assertIn(await ask());
		assert.equal(github.requests.length, 1);
		assert.equal(other.requests.length, 1);
		await until(() => github.sockets.size === 0,
			"the connection stays");
		await conf.change(settings({ url: "https://a:b@c/" }), tetherd,
			"reload failed");
		assertIn(await ask());
		assert.equal(other.requests.length, 2);
	});

	scenario("authd dies while a socket is made", async (stage) => {
		const silent = await startSilent(stage);
		const { github, ask, tetherd, conf } = await start(stage, { env: {
			HTTPS_PROXY: `http://127.0.0.1:${silent.port}`,
		} });
		const asked = ask().catch(() => {});
		const socket = await silent.sockets.next();
		const gone = new Promise((resolve) =>
			socket.on("close", resolve));
		socket.resume();
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		await gone;
		await tetherd.line("lost child: authd");
		await asked;
		await conf.change(settings(github), tetherd);
		const again = ask().catch(() => {});
		const second = await silent.sockets.next();
		// The dialer of the new one: it takes what it asked for.
		second.once("data", () => second.destroy());
		assertOut(await again);
		assert.equal(github.requests.length, 0);
	});
});
