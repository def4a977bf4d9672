// Time, memory, and requests that nobody waits for any more.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { good, startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline, until } from "./lib/time.mjs";
import { makeHandle, Page } from "./lib/tunnel.mjs";
import { freePort } from "./lib/upstream.mjs";

const MIB = 1024 * 1024;
const STATUS = { register: { capabilities: ["status"] } };
const BUSY = "the instance is busy; try again";

const start = async (stage, settings, scripts, options) => {
	const conf = await startConf(stage, settings);
	return startInstance(stage, { args: conf.args, orchestrator: STATUS,
		upstream: () => startHostile(stage, scripts, options) });
};

// What proxyd says that it holds: [requests, bytes].
const held = async (tetherd) => {
	const from = tetherd.lines.length;
	tetherd.signal("SIGUSR1");
	const line = await tetherd.line(/status: upstream .* bytes buffered/,
		{ from });
	const [, requests, bytes] =
		/ (\d+) requests under way.* (\d+) bytes buffered/.exec(line);
	return [Number(requests), Number(bytes)];
};

const memory = (tetherd, name) => Number(new RegExp(`${name}:\\s+(\\d+)`)
	.exec(readFileSync(`/proc/${tetherd.childPid("proxyd")}/status`, "utf8"))[1]) /
	1024;

// A port where connections are never taken: its process is stopped, and its
// queue is full.
async function startDeaf(stage) {
	const child = stage.start("deaf", process.execPath, ["-e",
		"require('net').createServer().listen({ port: 0, " +
		"host: '127.0.0.1', backlog: 1 }, function () { " +
		"console.log(`port ${this.address().port}`); })"], {});
	const port = Number(/\d+$/.exec(await child.line(/port \d+/))[0]);
	const sockets = [];
	stage.atEnd(() => {
		process.kill(child.pid, "SIGCONT");
		for (const socket of sockets)
			socket.destroy();
	});
	process.kill(child.pid, "SIGSTOP");
	for (let i = 0; i < 8; i++) {
		const socket = connect(port, "127.0.0.1");
		socket.on("error", () => {});
		sockets.push(socket);
	}
	await new Promise((resolve) => setTimeout(resolve, 200));
	return port;
}

describe("time", { concurrency: 2 }, () => {
	scenario("until there is a connection", async (stage) => {
		const port = await startDeaf(stage);
		const conf = await startConf(stage, "limits {\n\tconnect time 500ms\n" +
			`\trequest time 5s\n}\nupstream { port ${port} }\n`);
		const { connection } = await startInstance(stage, { args: conf.args,
			upstream: () => ({}), env: { PORT: undefined } });
		const asked = Date.now();
		const answer = await connection.request();
		const took = Date.now() - asked;
		assert.equal(answer.status, 504, answer.body);
		assert.ok(took > 400 && took < 2000, `${took} ms`);
	});

	scenario("is the upstream's whole, and then 504 is ours",
		async (stage) => {
			const { connection, upstream } = await start(stage,
				"limits { request time 1s }\n", {
					"/late": (request, socket) => setTimeout(() =>
						socket.write(good("late")), 1300),
					"/never": () => {},
				});
			for (const path of ["/late", "/never"]) {
				const answer = await connection.request({ path });
				assert.equal(answer.status, 504);
			}
			await until(() => upstream.open === 0, "still open", 1000);
			assert.equal((await connection.request({ path: "/ok" })).body,
				"ok /ok");
			assert.deepEqual(connection.surplus, []);
		});

	scenario("is none where nobody listens", async (stage) => {
		const port = await freePort();
		const { connection } = await startInstance(stage,
			{ upstream: () => ({ port }) });
		const answer = await connection.request();
		assert.equal(answer.status, 502);
		assert.equal(answer.json.error, "the web app cannot be reached");
		assert.doesNotMatch(answer.body, /127|curl|port/);
	});
});

describe("heads", { concurrency: 2 }, () => {
	const many = (n, size) => Array.from({ length: n },
		(_, i) => `X-${i}: ${"x".repeat(size)}`);

	// More than the settings allow, and more than libcurl does.
	for (const [name, settings, fields] of [
		["many fields", "", many(1000, 10)],
		["a long line", "limits { header size 1M\n headers 4096 }\n",
			many(1, 200000)],
		["all of it", "limits { header size 1M\n headers 4096 }\n",
			many(40, 10000)],
		["interim ones", "", null],
	])
		scenario(`that are too large say nothing of the upstream: ${name}`,
			async (stage) => {
				const head = fields === null
					? "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"
						.repeat(300000)
					: good("big", ...fields);
				const { connection, tetherd } = await start(stage,
					settings, { "/big": head });
				for (let i = 0; i < 3; i++) {
					const answer =
						await connection.request({ path: "/big" });
					assert.equal(answer.status, 502);
					assert.equal(answer.json.error,
						"the web app's answer has too many headers");
				}
				assert.equal((await connection.request(
					{ path: "/ok" })).body, "ok /ok");
				assert.equal(
					tetherd.all(/upstream .*too many headers/).length, 1);
				assert.deepEqual(
					tetherd.all(/emory|answers again|Fail/), []);
			});
});

describe("memory", { concurrency: 2 }, () => {
	for (const limit of [1, 2, 4, 8])
		scenario(`of ${limit} MiB, for the bodies of 256 requests`,
			async (stage) => {
				const waiting = [];
				const { connection, tetherd, upstream } = await start(stage,
					`limits { memory ${limit}M }\n`, {
						"/post": (request, socket) => waiting.push(socket),
					});
				const body = "x".repeat(MIB - 1000);
				const all = Promise.all(Array.from({ length: 256 }, () =>
					connection.request({ method: "POST", path: "/post",
						body })));
				// As many as there is room for, and each of the others has
				// its answer; those that got through wait.
				await until(() => waiting.length + 256 -
					connection.answers.size === 256, "not all decided");
				const [requests, bytes] = await held(tetherd);
				assert.equal(requests, waiting.length);
				assert.ok(bytes <= limit * MIB, `${bytes} bytes`);
				// A text is counted, and then its body: one less may fit.
				assert.ok(waiting.length >= limit - 1 &&
					waiting.length <= limit, `${waiting.length} of ${limit}`);
				for (const socket of waiting)
					socket.write(good("taken"));
				const answers = await all;
				assert.deepEqual(connection.surplus, []);
				assert.equal(answers.filter(({ status }) =>
					status === 200).length, waiting.length);
				for (const answer of answers)
					if (answer.status !== 200)
						assert.equal(answer.status, 503, answer.body);
				await until(async () => (await held(tetherd)).join() ===
					"0,0", "something is left");
				assert.equal(upstream.asked("/post"), waiting.length);
				assert.equal((await connection.request(
					{ path: "/ok" })).status, 200);
			});

	scenario("of 4 MiB, for answers", async (stage) => {
		const { connection, tetherd } = await start(stage,
			"limits { memory 4M }\n",
			{ "/big": good("x".repeat(MIB)) });
		let some = 0;
		for (let i = 0; i < 4; i++) {
			const answers = await Promise.all(Array.from({ length: 64 }, () =>
				connection.request({ path: "/big" })));
			for (const answer of answers) {
				if (answer.status === 200) {
					some++;
					assert.equal(answer.body.length, MIB);
				} else {
					assert.equal(answer.status, 503, answer.body);
					assert.equal(answer.json.error, BUSY);
				}
			}
		}
		assert.ok(some >= 4, `${some} answers`);
		assert.deepEqual(connection.surplus, []);
		assert.deepEqual(await held(tetherd), [0, 0]);
		if (!process.env.TETHERD_BUILD?.includes("address"))
			assert.ok(memory(tetherd, "VmHWM") < 64, "too much in use");
	});

	scenario("of an answer that is too large", async (stage) => {
		const { connection, tetherd, upstream } = await start(stage,
			"limits { body 1M }\n", {
				"/said": good("x".repeat(2 * MIB)),
				"/endless": (request, socket) => {
					const write = () => {
						while (socket.writable && socket.write("x".repeat(65536)))
							continue;
					};
					socket.write("HTTP/1.1 200 OK\r\n\r\n");
					socket.on("drain", write);
					write();
				},
			});
		for (const path of ["/said", "/endless"]) {
			const answer = await connection.request({ path });
			assert.equal(answer.status, 502);
			assert.equal(answer.json.error,
				"the web app's answer is too large");
		}
		await until(() => upstream.open === 0, "still open", 1000);
		assert.deepEqual(await held(tetherd), [0, 0]);
	});
});

describe("a connection to the orchestrator that goes", { concurrency: 2 },
	() => {
		scenario("takes its requests along", async (stage) => {
			const hold = (bytes) => (request, socket) => socket.write(bytes);
			const { connection, orchestrator, tetherd, upstream } =
				await start(stage, "", {
					"/silent": () => {},
					"/head": hold("HTTP/1.1 200 OK\r\n"),
					"/body": hold("HTTP/1.1 200 OK\r\nContent-Length: 9" +
						"\r\n\r\nabc"),
					"/upload": (request, socket) => socket.pause(),
				}, { bodies: false });
			const paths = ["/silent", "/head", "/body", "/upload"];
			for (const path of paths)
				connection.request({ path, request_id: `same${path}`,
					...(path === "/upload" && { method: "POST",
						body: "x".repeat(5 * MIB) }) }).catch(() => {});
			const page = new Page(connection);
			await until(() => upstream.requests.length === 4, "not asked");
			assert.equal(upstream.open, 4);
			connection.socket.destroy();
			await until(() => upstream.open === 1, "not given up", 1000);
			// The one that does not read is told by the reset it gets.
			for (const socket of upstream.connections)
				socket.resume();
			await until(() => upstream.open === 0, "not given up", 1000);

			// The same ids are others now.
			const next = await orchestrator.registered();
			for (const path of paths) {
				const answer = await next.request({ path: "/ok",
					query: path.slice(1), request_id: `same${path}` });
				assert.equal(answer.body, `ok /ok?${path.slice(1)}`);
			}
			assert.deepEqual(next.surplus, []);
			assert.deepEqual(await held(tetherd), [0, 0]);
			assert.ok(page);
		});

		scenario("and comes back at once", async (stage) => {
			// What was asked before is answered late, over and over.
			const { connection, orchestrator, upstream } =
				await start(stage, "", {}, {
					play: (request, socket) => setTimeout(() =>
						socket.write(good(request.target)), 30),
				});
			let link = connection;
			for (let i = 0; i < 10; i++) {
				for (let n = 0; n < 20; n++)
					link.request({ path: `/old${i}`, request_id: `id${n}` })
						.catch(() => {});
				await until(() => upstream.asked(`/old${i}`) > 0, "not asked");
				link.socket.destroy();
				link = await orchestrator.registered();
				const answers = await Promise.all(Array.from({ length: 20 },
					(_, n) => link.request({ path: `/new${i}`,
						request_id: `id${n}` })));
				for (const answer of answers)
					assert.equal(answer.bytes.toString(), `/new${i}`);
				await new Promise((resolve) => setTimeout(resolve, 50));
				assert.deepEqual(link.surplus, []);
			}
		});

		scenario("ends its streams at the upstream", async (stage) => {
			const instance = await start(stage, "", {
				"/events": "HTTP/1.1 200 OK\r\n" +
					"Content-Type: text/event-stream\r\n\r\ndata: x\n\n",
			});
			const page = new Page(instance.connection);
			page.handle = await makeHandle(instance);
			const stream = page.stream("/events");
			await deadline(stream.opened, 5000, "no head");
			assert.equal(instance.upstream.open, 1);
			instance.connection.socket.destroy();
			await until(() => instance.upstream.open === 0, "not given up",
				1000);
		});
	});
