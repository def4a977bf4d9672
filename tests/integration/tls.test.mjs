// Over TLS: whom the connector believes, and what an operator is told when it
// does not.

import assert from "node:assert/strict";
import { createConnection, createServer } from "node:net";
import { describe } from "node:test";
import { connect } from "node:tls";

import { createAuthority } from "./lib/certificates.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd, TOKEN } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { freePort } from "./lib/upstream.mjs";

async function start(stage, name, tls = {}, env = {}, host = "localhost") {
	const authority = await createAuthority(await stage.directory());
	const orchestrator = await Orchestrator.start(stage, { tls: {
		...await (name === "self" ? authority.issueSelf() :
			authority.issue(name === "unknown" ? "good" : name)),
		...tls } });
	const tetherd = await connectTo(stage, host, orchestrator.port,
		{ SSL_CERT_FILE: authority.caFile, ...env });
	return { orchestrator, tetherd, authority };
}

const connectTo = async (stage, host, port, env) => startTetherd(stage, {
	env: {
		ORCHESTRATOR_URL: `wss://${host}:${port}/ws/connect`,
		PORT: String(await freePort()),
		...env,
	},
});

/*
 * A server of bytes: serve(socket, n) once a client's n-th bytes are there.
 * It has port, and heard: all that came.
 */
async function startBytes(stage, serve) {
	const sockets = new Set();
	const server = { heard: "", attempts: 0 };
	const tcp = createServer((socket) => {
		let n = 0;
		server.attempts++;
		sockets.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => sockets.delete(socket));
		socket.on("data", (data) => {
			server.heard += data.toString("latin1");
			serve(socket, ++n);
		});
	});
	await new Promise((resolve) => tcp.listen(0, "127.0.0.1", resolve));
	server.port = tcp.address().port;
	stage.atEnd(async () => {
		const closed = new Promise((resolve) => tcp.close(resolve));
		sockets.forEach((socket) => socket.destroy());
		await closed;
	});
	return server;
}

// The reason is in one line, the next attempt follows, no token went out.
async function isRefused({ orchestrator, tetherd }, why) {
	const line = await tetherd.line(/disconnected: .*next attempt in/);
	assert.match(line, why);
	assert.match(line, /disconnected: TLS: [ -~]+; next attempt in \d+ ms$/);
	await tetherd.line("next attempt in",
		{ from: tetherd.lines.indexOf(line) + 1 });
	assert.equal(orchestrator.upgrades.length, 0, "the token was sent");
	assert.deepEqual(tetherd.all(TOKEN), []);
}

describe("TLS", { concurrency: 4 }, () => {
	for (const [version, limits] of [
		["1.2", { maxVersion: "TLSv1.2" }],
		["1.3", { minVersion: "TLSv1.3" }]])
		scenario(`1 a good certificate, TLS ${version}`, async (stage) => {
			const { orchestrator, tetherd } =
				await start(stage, "good", limits);
			const connection = await orchestrator.registered();
			assert.equal(connection.socket.getProtocol(),
				`TLSv${version}`);
			assert.equal(connection.socket.servername, "localhost");
			assert.match(await tetherd.registered(),
				/registered with wss:\/\/localhost:/);
		});

	scenario("1 an address in place of a name", async (stage) => {
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

	// The certificate, by which name the server is asked for, what is said.
	for (const [name, host, why] of [
		["expired", "localhost", /certificate refused: .*expired/],
		["early", "localhost", /certificate refused: .*not yet valid/],
		["wrong-name", "localhost", /refused: hostname mismatch/],
		["wrong-address", "127.0.0.1", /refused: IP address mismatch/],
		["client-only", "localhost", /refused: .*purpose/],
		["weak", "localhost", /refused: .*key too weak/],
		["self", "localhost", /refused: self.signed certificate/],
		["unknown", "localhost",
			/refused: unable to get local issuer certificate/],
	])
		scenario(`1 a certificate that is ${name}`, async (stage) => {
			const started = await start(stage, name, {
				ciphers: "DEFAULT@SECLEVEL=0" }, name === "unknown"
				? { SSL_CERT_FILE: undefined } : {}, host);
			await isRefused(started, why);
		});

	scenario("1 a certificate for servers, and no more", async (stage) => {
		const { orchestrator } = await start(stage, "server-only");
		await orchestrator.registered();
	});

	scenario("1 no TLS at all", async (stage) => {
		const plain = await Orchestrator.start(stage);
		const tetherd = await connectTo(stage, "127.0.0.1", plain.port);
		await isRefused({ orchestrator: plain, tetherd },
			/is not TLS/);
	});

	const record = (type, ...body) =>
		Buffer.from([type, 3, 3, body.length >> 8, body.length & 255,
			...body]);
	const hello = record(22, 2, 0, 0, 70, 3, 3, ...Array(66).fill(7));
	// What a client gets for its hello, and what is said of that.
	const answers = [
		["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n",
			/is not TLS/],
		["SMTP", "220 mail ESMTP\r\n", /is not TLS/],
		["zeroes", Buffer.alloc(100), /is not TLS/],
		["an alert: handshake failure", record(21, 2, 40),
			/the other end refuses: handshake failure/],
		["an alert: unrecognized name", record(21, 2, 112),
			/the other end refuses: unrecognized name/],
		["an alert: protocol version", record(21, 2, 70),
			/TLS 1\.2 or newer/],
		["an alert: internal error", record(21, 2, 80),
			/the other end refuses: internal error/],
		["an alert that nobody knows", record(21, 2, 200),
			/TLS: [a-z]/],
		["an alert to close", record(21, 1, 0),
			/connection closed in the handshake/],
		["an alert of 1 byte", record(21, 2), /TLS: [a-z]/],
		["data before keys", record(23, 1, 2, 3), /TLS: [a-z]/],
		["a record that is too long", Buffer.from([22, 3, 3, 255, 255]),
			/TLS: [a-z]/],
		["a hello of nonsense", hello, /TLS: [a-z]/],
		["a record of another type", record(99, 1), /TLS: [a-z]/],
		["half of a record", hello.subarray(0, 3),
			/connection closed in the handshake/],
		["nothing", "", /connection closed in the handshake/],
		["a reset", null, /TLS: Connection reset by peer in the handshake/],
	];
	scenario("1 answers to the first record that are none", async (stage) => {
		let answer = "";
		const server = await startBytes(stage, (socket) => {
			if (answer === null)
				socket.resetAndDestroy();
			else
				socket.end(answer);
		});
		const tetherd = await connectTo(stage, "127.0.0.1", server.port,
			{ ORCHESTRATOR_RECONNECT_INTERVAL: "60000" });
		await tetherd.line("next attempt");
		await eachRow(answers, async ([, bytes, why]) => {
			const from = tetherd.lines.length;
			answer = bytes;
			tetherd.signal("SIGUSR2");
			const line = await tetherd.line("next attempt", { from });
			assert.match(line, why);
			assert.match(line, /disconnected: TLS: [ -~]+; next/);
		});
		assert.equal(server.attempts, answers.length + 1);
		assert.ok(!server.heard.includes(TOKEN));
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	for (const version of ["TLSv1.2", "TLSv1.3"])
		scenario(`1 ${version} cut anywhere in the handshake`,
			async (stage) => {
				const authority =
					await createAuthority(await stage.directory());
				const orchestrator = await Orchestrator.start(stage,
					{ tls: { ...await authority.issue("good"),
						maxVersion: version } });
				let limit = 0, total = 0;
				const proxy = await startProxy(stage, orchestrator.port,
					() => limit, (n) => {
						total = Math.max(total, n);
					});
				const tetherd = await connectTo(stage, "localhost",
					proxy.port, { SSL_CERT_FILE: authority.caFile,
						ORCHESTRATOR_RECONNECT_INTERVAL: "60000" });
				const cuts = [1, 4, 5, 6, 50, 90, 100, 130, 200, 500, 800,
					1000, 1200, 1300];
				await tetherd.line("next attempt");
				await eachRow(cuts, async (cut) => {
					const from = tetherd.lines.length;
					limit = cut;
					tetherd.signal("SIGUSR2");
					assert.match(await tetherd.line("next attempt",
						{ from }), /TLS: connection closed in the hand/);
				});
				assert.equal(orchestrator.upgrades.length, 0);
				limit = Infinity;
				tetherd.signal("SIGUSR2");
				await orchestrator.registered();
				assert.ok(total > cuts.at(-1), `${total} bytes in all`);
			});

	// Once it is up: what happens to the connection, and what is said.
	const losses = {
		"closed without a farewell": [(socket) => socket.end(),
			/closed without a close frame/],
		"reset": [(socket) => socket.resetAndDestroy(), /reset/],
		"a record of another kind": [(socket) => socket.write(
			record(99, 1, 2, 3)), /TLS: [a-z]/],
		"a record that nobody encrypted": [(socket) => socket.write(
			record(23, ...Array(64).fill(1))), /TLS: [a-z]/],
		"plain text": [(socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"),
			/TLS: [a-z]/],
		"half of a record": [(socket) => socket.end(
			record(23, ...Array(64).fill(1)).subarray(0, 20)),
		/closed without a close frame/],
	};
	for (const version of ["TLSv1.2", "TLSv1.3"])
		scenario(`1 ${version} broken once it is up`, async (stage) => {
			const authority = await createAuthority(await stage.directory());
			const orchestrator = await Orchestrator.start(stage,
				{ tls: { ...await authority.issue("good"),
					maxVersion: version } });
			const proxy = await startProxy(stage, orchestrator.port,
				() => Infinity, () => {});
			const tetherd = await connectTo(stage, "localhost", proxy.port,
				{ SSL_CERT_FILE: authority.caFile });
			await eachRow(Object.entries(losses),
				async ([, [lose, why]]) => {
					await orchestrator.registered();
					const from = tetherd.lines.length;
					lose(proxy.sockets.at(-1));
					const line = await tetherd.line("disconnected: ",
						{ from });
					assert.match(line, why);
					assert.match(line, /next attempt in \d+ ms$/);
				});
			const connection = await orchestrator.registered();
			assert.equal((await connection.request()).status, 502);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("1 renegotiation is refused", async (stage) => {
		const { orchestrator, tetherd } = await start(stage, "good",
			{ maxVersion: "TLSv1.2" });
		const connection = await orchestrator.registered();
		connection.socket.renegotiate({}, () => {});
		await connection.closed;
		const next = await orchestrator.registered();
		assert.equal((await next.request()).status, 502);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("1 TLS 1.1", async (stage, t) => {
		const old = {
			minVersion: "TLSv1.1",
			maxVersion: "TLSv1.1",
			ciphers: "DEFAULT@SECLEVEL=0",
		};
		const started = await start(stage, "good", old);
		if (!await acceptedBy(started.orchestrator.port, old))
			return t.skip("this Node cannot serve TLS 1.1");
		await isRefused(started, /TLS 1\.2 or newer/);
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

/*
 * Between clients and a port.  Of what the port says only limit() bytes get
 * through; then the client is hung up on.  sockets: those of the clients.
 */
async function startProxy(stage, port, limit, count) {
	const proxy = { sockets: [] };
	const tcp = createServer((socket) => {
		const other = createConnection(port, "127.0.0.1");
		const max = limit();
		let passed = 0;
		proxy.sockets.push(socket);
		for (const [one, another] of [[socket, other], [other, socket]]) {
			one.on("error", () => {});
			one.on("close", () => another.destroy());
		}
		socket.on("data", (data) => other.write(data));
		other.on("data", (data) => {
			const piece = data.subarray(0, Math.max(0, max - passed));
			passed += data.length;
			count(passed);
			if (passed < max)
				socket.write(piece);
			else
				socket.end(piece);
		});
	});
	await new Promise((resolve) => tcp.listen(0, "127.0.0.1", resolve));
	proxy.port = tcp.address().port;
	stage.atEnd(async () => {
		const closed = new Promise((resolve) => tcp.close(resolve));
		proxy.sockets.forEach((socket) => socket.destroy());
		await closed;
	});
	return proxy;
}
