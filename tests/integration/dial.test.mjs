// How the orchestrator is reached.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { createAuthority } from "./lib/certificates.mjs";
import { startHttpProxy } from "./lib/http-proxy.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

async function start(stage, env, options = {}) {
	const authority = await createAuthority(await stage.directory());
	const proxy = await startHttpProxy(stage, options.proxy);
	const orchestrator = await Orchestrator.start(stage,
		{ tls: await authority.issue("good") });
	const tetherd = await startTetherd(stage, {
		env: {
			ORCHESTRATOR_URL: orchestrator.url,
			SSL_CERT_FILE: authority.caFile,
			PORT: "1",
			...env(proxy.port),
		},
	});
	return { proxy, orchestrator, tetherd };
}

describe("HTTPS_PROXY", { concurrency: 4 }, () => {
	scenario("is used for wss", async (stage) => {
		const { proxy, orchestrator } = await start(stage, (port) => ({
			HTTPS_PROXY: `http://127.0.0.1:${port}`,
		}));
		const { target, headers } = await proxy.tunnels.next();
		assert.equal(target, `localhost:${orchestrator.port}`);
		assert.equal(headers.host, `localhost:${orchestrator.port}`);
		assert.equal(headers["proxy-authorization"], undefined);
		const connection = await orchestrator.registered();
		assert.equal(connection.socket.servername, "localhost");
	});

	scenario("with a password", async (stage) => {
		const { proxy, orchestrator } = await start(stage, (port) => ({
			HTTPS_PROXY: `http://us%65r:p%40ss:w@127.0.0.1:${port}/`,
		}));
		const { headers } = await proxy.tunnels.next();
		assert.equal(headers["proxy-authorization"],
			`Basic ${Buffer.from("user:p@ss:w").toString("base64")}`);
		await orchestrator.registered();
	});

	for (const list of ["localhost", "other.example, LOCALHOST", "*"])
		scenario(`NO_PROXY=${list}`, async (stage) => {
			const { proxy, orchestrator } = await start(stage,
				(port) => ({
					HTTPS_PROXY: `http://127.0.0.1:${port}`,
					NO_PROXY: list,
				}));
			await orchestrator.registered();
			assert.equal(proxy.tunnels.length, 0);
		});

	scenario("NO_PROXY for other hosts", async (stage) => {
		const { proxy, orchestrator } = await start(stage, (port) => ({
			HTTPS_PROXY: `http://127.0.0.1:${port}`,
			NO_PROXY: "host,local,notlocalhost",
		}));
		await orchestrator.registered();
		assert.equal(proxy.tunnels.length, 1);
	});

	scenario("is not used for ws", async (stage) => {
		const plain = await Orchestrator.start(stage);
		const { proxy } = await start(stage, (port) => ({
			ORCHESTRATOR_URL: plain.url,
			HTTPS_PROXY: `http://127.0.0.1:${port}`,
		}));
		await plain.registered();
		assert.equal(proxy.tunnels.length, 0);
	});

	for (const [name, refuse] of [
		["407", "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"],
		["502", "HTTP/1.1 502 Bad Gateway\r\n\r\nno\u001b[2J"],
		["garbage", "\0\u0001\u0002 what\r\n\r\n"],
		["nothing", ""],
		["a header without end", `HTTP/1.1 200 OK\r\n${
			"X: y\r\n".repeat(50000)}`],
	])
		scenario(`a proxy that answers ${name}`, async (stage) => {
			const { proxy, orchestrator, tetherd } = await start(stage,
				(port) => ({
					HTTPS_PROXY: `http://u:secret@127.0.0.1:${port}`,
				}), { proxy: { refuse } });
			await proxy.tunnels.next();
			const line =
				await tetherd.line(/disconnected: .*next attempt in/);
			assert.doesNotMatch(line, /secret|\u001b/);
			assert.equal(orchestrator.upgrades.length, 0);
			proxy.refuse = undefined;
			await orchestrator.registered();
		});
});

describe("connecting", { concurrency: 4 }, () => {
	const attempt = (stage, url, env = {}) => startTetherd(stage,
		{ env: { ORCHESTRATOR_URL: url, PORT: "1", ...env } });

	scenario("a name that does not exist", async (stage) => {
		const tetherd = await attempt(stage, "ws://nowhere.invalid/ws");
		const line = await tetherd.line(/disconnected: .*next attempt in/);
		await tetherd.line("next attempt in",
			{ from: tetherd.lines.indexOf(line) + 1 });
	});

	scenario("the second address of a name", async (stage) => {
		// localhost is ::1, too, in most places; nobody listens there.
		const orchestrator = await Orchestrator.start(stage);
		await attempt(stage,
			orchestrator.url.replace("127.0.0.1", "localhost"));
		await orchestrator.registered();
	});
});
