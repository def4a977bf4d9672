// Things that nobody does on purpose, and some that somebody might.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { identity, Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { Queue } from "./lib/time.mjs";

const STOP_MAX = 5500;

async function stops(tetherd, code = 0) {
	const start = Date.now();
	tetherd.signal("SIGTERM");
	assert.equal((await tetherd.ended()).code, code);
	const took = Date.now() - start;
	assert.ok(took < STOP_MAX, `${took} ms`);
}

describe("robustness", { concurrency: 4 }, () => {
	scenario("request ids come back as they were", async (stage) => {
		const { connection } = await startInstance(stage);
		await eachRow(["", " ", "\"\\/\b\f\n\r\t", "\u0001\u001f\u007f",
			"é🗝\u2028", "../x", "9".repeat(128), "{\"a\":1}", "null"],
		async (request_id) => {
			const answer = await connection.request({ request_id }, 5000);
			assert.equal(answer.status, 200);
			assert.equal(answer.request_id, request_id);
		});
	});

	scenario("an id without end costs nothing but itself",
		async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			connection.send({ type: "http_proxy_request",
				request_id: "x".repeat(1 << 20), method: "GET",
				path: "/" });
			await tetherd.line("request_id");
			assert.equal((await connection.request()).status, 200);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("a message in many fragments, pings between",
		async (stage) => {
			const { connection } = await startInstance(stage);
			const { ws } = connection;
			const body = "é".repeat(5000);
			const bytes = Buffer.from(JSON.stringify({
				type: "http_proxy_request", request_id: "f",
				method: "POST", path: "/api/echo", headers: [], body }));
			const answered = new Promise((resolve) =>
				connection.answers.set("f", resolve));
			for (let i = 0; i < bytes.length; i += 7) {
				ws.send(bytes.subarray(i, i + 7), {
					binary: false, fin: i + 7 >= bytes.length });
				if (i % 700 === 0)
					ws.ping();
			}
			assert.equal(JSON.parse((await answered).body).body, body);
		});

	scenario("requests before registered are not passed on",
		async (stage) => {
			const orchestrator = await Orchestrator.start(stage,
				{ register: false });
			const tetherd = await startTetherd(stage, {
				env: { ORCHESTRATOR_URL: orchestrator.url, PORT: "1" },
			});
			const connection = await orchestrator.registered();
			connection.request({ headers: identity(1, "a") })
				.catch(() => {});
			await tetherd.line("before registered");
			await stops(tetherd);
		});

	scenario("an orchestrator that asks and does not read",
		async (stage) => {
			const { connection, orchestrator, tetherd } =
				await startInstance(stage);
			// All frames in one write: nobody else has to wait.
			const text = JSON.stringify({ request_id: "r", path: "/",
				method: "GET", type: "http_proxy_request" });
			const frame = Buffer.from(`\x81${
				String.fromCharCode(text.length)}${text}`, "latin1");
			connection.socket.pause();
			connection.socket.write(Buffer.alloc(
				250000 * frame.length, frame));
			await tetherd.line("close frame not answered");
			const next = await orchestrator.registered();
			assert.equal((await next.request()).status, 200);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("a message that is too large", async (stage) => {
		const { connection, orchestrator, tetherd } =
			await startInstance(stage);
		connection.request({ method: "POST", path: "/api/echo",
			body: "x".repeat(80 << 20) }).catch(() => {});
		const { code } = await connection.closed;
		assert.ok([1006, 1009].includes(code), `${code}`);
		const next = await orchestrator.registered();
		assert.equal((await next.request()).status, 200);
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("many users", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		for (let batch = 0; batch < 4; batch++)
			await Promise.all(Array.from({ length: 100 }, (_, i) => {
				const id = 1 + batch * 100 + i;
				return connection.request({
					path: "/api/whoami",
					headers: identity(id, `user${id}`),
				}).then(({ json }) =>
					assert.equal(json.username, `user${id}`));
			}));
		assert.equal((await connection.request({
			path: "/api/whoami",
			headers: identity(1, "user1"),
		})).json.username, "user1");
		assert.deepEqual(tetherd.all("lost child"), []);
	});
});

describe("SIGTERM", { concurrency: 4 }, () => {
	for (const name of ["connector", "proxyd", "authd"])
		scenario(`while ${name} does not run`, async (stage) => {
			const { tetherd } = await startInstance(stage);
			process.kill(tetherd.childPid(name), "SIGSTOP");
			await stops(tetherd);
		});

	scenario("while the orchestrator does not answer", async (stage) => {
		const arrived = new Queue("connections");
		const sockets = [];
		const server = createServer((socket) => {
			socket.on("error", () => {});
			sockets.push(socket);
			arrived.push(socket);
		});
		await new Promise((resolve) =>
			server.listen(0, "127.0.0.1", resolve));
		stage.atEnd(() => {
			sockets.forEach((socket) => socket.destroy());
			server.close();
		});
		const tetherd = await startTetherd(stage, { env: {
			ORCHESTRATOR_URL: `ws://127.0.0.1:${server.address().port}/`,
			PORT: "1",
		} });
		await arrived.next();
		await stops(tetherd);
	});

	scenario("right after the start", async (stage) => {
		const tetherd = await startTetherd(stage, { env: {
			ORCHESTRATOR_URL: "ws://127.0.0.1:9/", PORT: "1",
		} });
		await tetherd.line("tetherd: startup");
		await stops(tetherd);
	});

	scenario("twice", async (stage) => {
		const { tetherd } = await startInstance(stage);
		tetherd.signal("SIGTERM");
		await stops(tetherd);
	});

	scenario("an orchestrator that does not close", async (stage) => {
		const { tetherd, connection } = await startInstance(stage);
		connection.socket.pause();
		await stops(tetherd);
	});
});
