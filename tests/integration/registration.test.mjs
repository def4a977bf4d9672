// The control messages between an instance and its orchestrator.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe } from "node:test";

import { Orchestrator } from "./lib/orchestrator.mjs";
import { CLIENT, startTetherd, TOKEN } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { freePort } from "./lib/upstream.mjs";

async function start(stage, options, env = {}, more = {}) {
	const orchestrator = await Orchestrator.start(stage, options);
	const tetherd = await startTetherd(stage, {
		...more,
		env: {
			ORCHESTRATOR_URL: orchestrator.url,
			PORT: String(await freePort()),
			...env,
		},
	});
	return { orchestrator, tetherd };
}

// The delay that a line announces, in milliseconds.
const delayIn = (line) => Number(/next attempt in (\d+) ms/.exec(line)[1]);

describe("registration", { concurrency: 6 }, () => {
	scenario("1, 2 what the upgrade and register say", async (stage) => {
		const { orchestrator, tetherd } = await start(stage, {}, {
			ORCHESTRATOR_CALLBACK_URL: "http://box.example:3001",
		});
		const { register, url, headers } = await orchestrator.registered();
		const line = await tetherd.registered();

		const { pathname, searchParams } = new URL(url, "ws://h");
		assert.equal(pathname, "/ws/connect");
		assert.deepEqual([...searchParams].sort(),
			[["client_id", CLIENT], ["token", TOKEN]]);
		assert.equal(headers.host, `127.0.0.1:${orchestrator.port}`);
		assert.equal(headers["sec-websocket-version"], "13");

		const { metadata, ...top } = register;
		delete top.receivedAt;
		assert.deepEqual(top, {
			type: "register",
			client_id: CLIENT,
			user_token: TOKEN,
		});
		assert.equal(metadata.hostname, hostname());
		assert.equal(metadata.platform, "linux");
		assert.equal(metadata.status, "idle");
		assert.match(metadata.version, /^\d+\.\d+\.\d+$/);
		assert.equal(metadata.callback_url, "http://box.example:3001");
		assert.match(metadata.project, /^\//);
		assert.deepEqual(metadata.capabilities, ["tunnel", "base64"]);
		assert.match(line, new RegExp("registered with " +
			`ws://127\\.0\\.0\\.1:${orchestrator.port} as ${CLIENT}$`));
	});

	scenario("1 members of the URL's query", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		await startTetherd(stage, {
			env: {
				ORCHESTRATOR_URL: `${orchestrator.url}?token=old` +
					"&zone=a%20b&client_id=x&last",
				ORCHESTRATOR_TOKEN: "ao_1_a+b&c=d%",
				PORT: "1",
			},
		});
		const { url } = await orchestrator.registered();
		const { searchParams } = new URL(url, "ws://h");
		assert.deepEqual([...searchParams].sort(), [
			["client_id", CLIENT], ["last", ""],
			["token", "ao_1_a+b&c=d%"], ["zone", "a b"]]);
	});

	scenario("2 absent settings: host name, null callback_url",
		async (stage) => {
			const { orchestrator } = await start(stage, {}, {
				ORCHESTRATOR_CLIENT_ID: undefined,
			});
			const { register } = await orchestrator.registered();
			assert.equal(register.client_id, hostname());
			assert.equal(register.metadata.callback_url, null);
		});

	scenario("3 success:false: no new attempt until asked", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ register: { success: false, message: "not you\u001b[2J" } });
		const first = await orchestrator.registered();

		const line = await tetherd.line("not you");
		assert.doesNotMatch(line, /\u001b/);
		assert.equal((await first.closed).code, 1000);
		assert.deepEqual(tetherd.all("next attempt"), []);
		for (const signal of ["SIGUSR2", "SIGHUP"]) {
			assert.equal(orchestrator.connections.length, 0);
			tetherd.signal(signal);
			const next = await orchestrator.registered();
			assert.equal((await next.closed).code, 1000, signal);
		}
	});

	scenario("3 command disconnect", async (stage) => {
		const { orchestrator, tetherd } = await start(stage);
		const first = await orchestrator.registered();

		await tetherd.registered();
		first.send({ type: "command", command: "disconnect" });
		assert.equal((await first.closed).code, 1000);
		assert.deepEqual(tetherd.all("next attempt"), []);
		assert.equal(orchestrator.upgrades.length, 1);
		tetherd.signal("SIGUSR2");
		await orchestrator.registered();
	});

	scenario("3 command refresh_status, and one unknown", async (stage) => {
		const { orchestrator } = await start(stage);
		const connection = await orchestrator.registered();

		connection.send({ type: "command", command: "dance" });
		connection.send({ type: "command", command: "refresh_status" });
		const update = await connection.receive("status_update");
		delete update.receivedAt;
		assert.deepEqual(update, {
			type: "status_update",
			client_id: CLIENT,
			status: "idle",
		});
	});

	scenario("3 messages without end of depth", async (stage) => {
		const { orchestrator, tetherd } = await start(stage);
		const connection = await orchestrator.registered();
		await tetherd.registered();

		for (const message of ["[".repeat(100000), "{\"a\":".repeat(100000)]) {
			const from = tetherd.lines.length;
			connection.send(message);
			await tetherd.line("not a JSON object", { from });
		}
		connection.send({ type: "error", message: "just so you know" });
		await tetherd.line("the orchestrator says: just so you know");
		assert.equal(orchestrator.upgrades.length, 1);
	});

	scenario("3 a malformed request that has an id: 400", async (stage) => {
		const { orchestrator } = await start(stage);
		const connection = await orchestrator.registered();

		for (const members of [
			{ method: undefined }, { path: undefined }, { method: 7 },
			{ path: null }, { headers: "x" }, { headers: [["a"]] },
			{ headers: [["a", 1]] }, { headers: {} }, { body: 1 },
			{ query: [] }, { proxy_base: 7 },
		]) {
			const answer = await connection.request(members);
			assert.equal(answer.status, 400, JSON.stringify(members));
			assert.equal(answer.header("content-type"),
				"application/json");
			assert.equal(typeof answer.json.error, "string");
		}
	});

	scenario("2 binary messages are not taken for text", async (stage) => {
		const { orchestrator, tetherd } = await start(stage);
		const connection = await orchestrator.registered();
		await tetherd.registered();
		const before = tetherd.lines.length;

		connection.ws.send(Buffer.from(JSON.stringify(
			{ type: "command", command: "disconnect" })));
		await tetherd.line(/connector\[\d+\]: .*binary/i,
			{ from: before });
		connection.send({ type: "command", command: "refresh_status" });
		await connection.receive("status_update");
	});
});

describe("heartbeat", { concurrency: 6 }, () => {
	scenario("3 pings at the interval of the settings", async (stage) => {
		const { orchestrator } = await start(stage, {},
			{ ORCHESTRATOR_HEARTBEAT_INTERVAL: "300" });
		const connection = await orchestrator.registered();

		let last = connection.register.receivedAt;
		for (let i = 0; i < 4; i++) {
			const ping = await connection.receive("ping");
			assert.equal(ping.client_id, CLIENT);
			const gap = ping.receivedAt - last;
			assert.ok(gap >= 250 && gap < 1500, `${gap} ms`);
			last = ping.receivedAt;
		}
		assert.equal(orchestrator.upgrades.length, 1);
	});

	scenario("3 no ping before registered", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ register: false },
			{ ORCHESTRATOR_HEARTBEAT_INTERVAL: "50" });
		const connection = await orchestrator.registered();

		// A round trip of the WebSocket layer stands for the time.
		for (let i = 0; i < 3; i++)
			await roundTrip(connection);
		assert.equal(connection.messages.length, 0);
		assert.deepEqual(tetherd.all("registered with"), []);
		connection.send({ type: "registered", success: true });
		await connection.receive("ping");
		await tetherd.registered();
	});

	scenario("3 a missing pong drops the connection", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ pong: false },
			{ ORCHESTRATOR_HEARTBEAT_INTERVAL: "300" });
		const first = await orchestrator.registered();

		const ping = await first.receive("ping");
		const { code } = await first.closed;
		const gap = Date.now() - ping.receivedAt;
		assert.equal(code, 1006, "no closing handshake");
		assert.ok(gap >= 9500 && gap < 13000, `${gap} ms`);
		await tetherd.line(/disconnected: .*; next attempt in \d+ ms/);
		await orchestrator.registered();
	});

	scenario("3 pings of the WebSocket layer are answered", async (stage) => {
		const { orchestrator } = await start(stage);
		const connection = await orchestrator.registered();
		await roundTrip(connection);
	});
});

async function roundTrip(connection) {
	const answered = new Promise((resolve) =>
		connection.ws.once("pong", (data) => resolve(data.toString())));
	connection.ws.ping("are you there");
	assert.equal(await answered, "are you there");
}

describe("reconnecting", { concurrency: 6 }, () => {
	scenario("3 delays grow, and start anew once registered",
		async (stage) => {
			const port = await freePort();
			const { tetherd } = await start(stage, {}, {
				ORCHESTRATOR_URL: `ws://127.0.0.1:${port}/ws/connect`,
				ORCHESTRATOR_RECONNECT_INTERVAL: "100",
			});
			await until(() => tetherd.all("next attempt").length >= 5,
				"no five attempts");
			const delays = tetherd.all("next attempt").map(delayIn);
			let base = 100;
			for (const delay of delays) {
				assert.ok(delay >= base * 0.5 && delay <= base * 1.5,
					`${delay} around ${base}: ${delays}`);
				base *= 1.5;
			}

			const orchestrator = new Orchestrator();
			await orchestrator.listen(port);
			stage.atEnd(() => orchestrator.close());
			const connection = await orchestrator.registered();
			await tetherd.registered();
			const before = tetherd.lines.length;
			connection.socket.destroy();
			const line = await tetherd.line("next attempt",
				{ from: before });
			assert.ok(delayIn(line) <= 150, line);
			await orchestrator.registered();
		});

	scenario("3 only registered ends the growth", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ register: false },
			{ ORCHESTRATOR_RECONNECT_INTERVAL: "50" });
		for (let i = 0; i < 5; i++)
			(await orchestrator.registered()).close(1001);
		await until(() => tetherd.all("next attempt").length >= 5,
			"no five delays");
		const delays = tetherd.all("next attempt").map(delayIn);
		assert.ok(delays[4] > delays[0], `${delays}`);
	});

	scenario("1 401: once a minute, and said once", async (stage) => {
		let good = false;
		const { orchestrator, tetherd } = await start(stage, {
			admit: () => good || "401 Unauthorized",
		});
		await orchestrator.refused.next();
		await tetherd.line("HTTP 401");
		// Asked for, it tries at once, and does not repeat itself.
		for (let i = 0; i < 3; i++) {
			tetherd.signal("SIGUSR2");
			await orchestrator.refused.next();
		}
		good = true;
		tetherd.signal("SIGUSR2");
		await orchestrator.registered();
		await tetherd.registered();
		const lines = tetherd.all("HTTP 401");
		assert.equal(lines.length, 1, lines.join("\n"));
		assert.match(lines[0], /once a minute/);
		assert.equal(orchestrator.upgrades.length, 5);
	});

	scenario("3 closed by the dashboard", async (stage) => {
		const { orchestrator, tetherd } = await start(stage);
		const first = await orchestrator.registered();

		first.send({ type: "error", message: "Disconnected by user" });
		await first.close(1000, "bye\u001b[2J");
		await tetherd.line("Disconnected by user");
		const line = await tetherd.line("disconnected: ");
		assert.doesNotMatch(line, /\u001b/);
		await orchestrator.registered();
	});
});
