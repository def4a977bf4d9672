// Whom the connector believes.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { connect } from "node:tls";

import { createAuthority } from "./lib/certificates.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { freePort } from "./lib/upstream.mjs";

async function start(stage, name, tls = {}, env = {}) {
	const authority = await createAuthority(await stage.directory());
	const orchestrator = await Orchestrator.start(stage,
		{ tls: { ...await authority.issue(name), ...tls } });
	const tetherd = await startTetherd(stage, {
		env: {
			ORCHESTRATOR_URL: orchestrator.url,
			SSL_CERT_FILE: authority.caFile,
			PORT: String(await freePort()),
			...env,
		},
	});
	return { orchestrator, tetherd };
}

async function isRefused({ orchestrator, tetherd }, why) {
	const line = await tetherd.line(/disconnected: .*next attempt in/);
	assert.match(line, why);
	await tetherd.line("next attempt in",
		{ from: tetherd.lines.indexOf(line) + 1 });
	assert.equal(orchestrator.upgrades.length, 0, "the token was sent");
}

describe("TLS", { concurrency: 4 }, () => {
	for (const [version, limits] of [
		["1.2", { maxVersion: "TLSv1.2" }],
		["1.3", { minVersion: "TLSv1.3" }]])
		scenario(`a good certificate, TLS ${version}`, async (stage) => {
			const { orchestrator, tetherd } =
				await start(stage, "good", limits);
			const connection = await orchestrator.registered();
			assert.equal(connection.socket.getProtocol(),
				`TLSv${version}`);
			assert.equal(connection.socket.servername, "localhost");
			assert.match(await tetherd.registered(),
				/registered with wss:\/\/localhost:/);
		});

	scenario("an address in place of a name", async (stage) => {
		const authority = await createAuthority(await stage.directory());
		const orchestrator = await Orchestrator.start(stage,
			{ tls: await authority.issue("good") });
		await startTetherd(stage, {
			env: {
				ORCHESTRATOR_URL: orchestrator.url
					.replace("localhost", "127.0.0.1"),
				SSL_CERT_FILE: authority.caFile,
				PORT: "1",
			},
		});
		await orchestrator.registered();
	});

	scenario("a certificate for another name", async (stage) => {
		await isRefused(await start(stage, "wrong-name"),
			/certificate|host ?name/i);
	});

	scenario("an expired certificate", async (stage) => {
		await isRefused(await start(stage, "expired"), /expired/);
	});

	scenario("an authority that nobody knows", async (stage) => {
		await isRefused(await start(stage, "good", {},
			{ SSL_CERT_FILE: undefined }), /certificate/);
	});

	scenario("no TLS at all", async (stage) => {
		const plain = await Orchestrator.start(stage);
		const tetherd = await startTetherd(stage, {
			env: {
				ORCHESTRATOR_URL:
					`wss://127.0.0.1:${plain.port}/ws/connect`,
				PORT: "1",
			},
		});
		await isRefused({ orchestrator: plain, tetherd }, /./);
	});

	scenario("TLS 1.1", async (stage, t) => {
		const old = {
			minVersion: "TLSv1.1",
			maxVersion: "TLSv1.1",
			ciphers: "DEFAULT@SECLEVEL=0",
		};
		const started = await start(stage, "good", old);
		if (!await acceptedBy(started.orchestrator.port, old))
			return t.skip("this Node cannot serve TLS 1.1");
		await isRefused(started, /protocol|version/i);
	});
});

// True if a client that takes everything gets through.
function acceptedBy(port, options) {
	return new Promise((resolve) => {
		const socket = connect({ port, host: "127.0.0.1",
			rejectUnauthorized: false, ...options }, () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}
