// Connections that are kept, and that the upstream gives up just when the next
// request comes (RFC 9112 section 9.3.1): who is asked again, and who never.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { good, startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

const STATUS = { register: { capabilities: ["status"] } };
// What curl makes of one request that always finds its connection dead.
const TRIES = 6;

const IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];
const OTHERS = ["POST", "PATCH", "LOCK", "X-ANY"];

// How a connection ends that was asked something.
const ENDS = {
	fin: (socket) => socket.end(),
	rst: (socket) => socket.resetAndDestroy(),
	cut: (socket) => socket.destroy(),
};

const bodyOf = (method) =>
	["GET", "HEAD"].includes(method) ? null : "the body";

const start = async (stage, scripts, options) => {
	const instance = await startInstance(stage, { orchestrator: STATUS,
		upstream: () => startHostile(stage, scripts, options) });
	const keep = async (n) => {
		// As many connections as requests, all of them kept.
		const waiting = [];
		instance.upstream.scripts["/keep"] = (request, socket) => {
			waiting.push(socket);
			if (waiting.length === n)
				for (const one of waiting.splice(0))
					one.write(good("kept"));
		};
		const answers = await Promise.all(Array.from({ length: n }, () =>
			instance.connection.request({ path: "/keep" })));
		for (const answer of answers)
			assert.equal(answer.body, "kept");
	};
	return { ...instance, keep };
};

describe("a connection that was kept", { concurrency: 2 }, () => {
	scenario("and is closed when a request comes", async (stage) => {
		let n = 0;
		const { connection, upstream, keep } = await start(stage, {});
		const rows = Object.keys(ENDS).flatMap((end) =>
			[...IDEMPOTENT, ...OTHERS].map((method) => [end, method]));
		await eachRow(rows, async ([end, method]) => {
			const path = `/race${++n}`;
			upstream.scripts[path] = (request, socket) =>
				socket.asked > 1 && upstream.asked(path) === 1
					? ENDS[end](socket) : socket.write(method === "HEAD"
						? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
						: good(`for ${request.body}`));
			await keep(1);
			const answer = await connection.request(
				{ method, path, body: bodyOf(method) });
			assert.equal(answer.status, 200, answer.body);
			assert.equal(answer.body, method === "HEAD" ? ""
				: `for ${bodyOf(method) ?? ""}`);
			assert.equal(upstream.asked(path),
				IDEMPOTENT.includes(method) ? 2 : 1);
		});
		assert.deepEqual(connection.surplus, []);
	});

	scenario("is asked no more often than makes sense", async (stage) => {
		const { connection, upstream, keep } = await start(stage, {});
		let n = 0;
		const ask = async (method, script) => {
			const path = `/never${++n}`;
			upstream.scripts[path] = script;
			await keep(16);
			const { status } = await connection.request(
				{ method, path, body: bodyOf(method) });
			return [status, upstream.asked(path)];
		};
		const end = (request, socket) => socket.end();
		const [status, tries] = await ask("GET", end);
		assert.equal(status, 502);
		assert.ok(tries > 1 && tries <= TRIES, `${tries} times`);
		for (const method of OTHERS)
			assert.deepEqual(await ask(method, end), [502, 1], method);
		// A line of an answer, and nobody may ask again.
		for (const method of [...IDEMPOTENT, ...OTHERS])
			assert.deepEqual(await ask(method, (request, socket) =>
				socket.end("HTTP/1.1 200 OK\r\n")), [502, 1], method);
		for (const method of IDEMPOTENT)
			assert.deepEqual(await ask(method, (request, socket) => {
				socket.write("HTTP/1.1 100 Continue\r\n\r\n");
				setTimeout(() => socket.resetAndDestroy(), 20);
			}), [502, 1], method);
	});

	scenario("is closed at any time, under load", async (stage) => {
		const methods = ["GET", "POST", "PUT", "PATCH"];
		let n = 0;
		const upstream = await startHostile(stage, {}, {
			play: (request, socket) => {
				socket.write(good(`${request.method} ${request.path}`));
				const how = [ENDS.fin, ENDS.rst, null][++n % 3];
				if (how !== null)
					setTimeout(() => socket.writable && how(socket),
						n % 7);
			},
		});
		const { connection } = await startInstance(stage, {
			orchestrator: STATUS, upstream: () => upstream });
		let i = 0;
		const work = async () => {
			while (i < 1500) {
				const path = `/n${i++}`;
				const method = methods[i % methods.length];
				const answer = await connection.request(
					{ method, path, body: bodyOf(method) });
				assert.equal(answer.status, 200, answer.body);
				assert.equal(answer.body, `${method} ${path}`);
				if (["POST", "PATCH"].includes(method))
					assert.equal(upstream.asked(path), 1);
			}
		};
		await Promise.all(Array.from({ length: 8 }, work));
		assert.deepEqual(connection.surplus, []);
	});

	scenario("serves whoever comes next", async (stage) => {
		const { connection, upstream } = await start(stage, {});
		const ask = async (method) => (await connection.request(
			{ method, path: "/ok", body: bodyOf(method) })).status;
		for (let i = 0; i < 5; i++)
			assert.equal(await ask("GET"), 200);
		assert.equal(upstream.connections.length, 1);
		for (let i = 0; i < 5; i++)
			assert.equal(await ask("POST"), 200);
		assert.equal(upstream.connections.length, 6, "one for each POST");
		for (let i = 0; i < 5; i++)
			assert.equal(await ask("PUT"), 200);
		assert.equal(upstream.connections.length, 6, "those of the POSTs");
	});

	scenario("is let go when the other side goes", async (stage) => {
		const { upstream, keep } = await start(stage, {});
		await keep(8);
		for (const socket of upstream.connections)
			socket.end();
		await until(() => upstream.open === 0, "half of them stay open", 1000);
	});

	scenario("and by which more comes", async (stage) => {
		const { connection, upstream, keep } = await start(stage, {});
		for (const evil of [good("evil"), "x", "HTTP/1.1 408 Late\r\n\r\n",
			"x".repeat(3000000)]) {
			await keep(4);
			const [from] = [upstream.connections.length];
			for (const socket of upstream.connections)
				if (socket.writable)
					socket.write(evil);
			await new Promise((resolve) => setTimeout(resolve, 50));
			for (let i = 0; i < 6; i++) {
				const answer = await connection.request(
					{ path: "/ok", query: String(i) });
				assert.equal(answer.body, `ok /ok?${i}`);
			}
			assert.equal(upstream.connections.length, from + 1);
		}
	});
});
