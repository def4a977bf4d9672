// An instance without a token: it waits to be claimed, and keeps the token.

import assert from "node:assert/strict";
import { mkdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";

import { createUserDatabase, lock, sql } from "./lib/database.mjs";
import { request } from "./lib/http.mjs";
import { identity, Orchestrator } from "./lib/orchestrator.mjs";
import { BUILD, CLIENT, startHub, startSampleApp, startTetherd, tetherctl } from
	"./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { freePort } from "./lib/upstream.mjs";

const GRANTED = "ao_7_granted-to-this-instance";

const grant = (connection, client_id = "box7", token = GRANTED) =>
	connection.send({ type: "token_granted", token, client_id });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const HELD = /staying so until asked to reconnect/;

/*
 * A place that outlives a tetherd: its start() starts one there, with the
 * settings and more of them.
 */
async function makePlace(stage, url, settings = {}) {
	const directory = await stage.directory();
	const database = join(directory, "auth.db");
	const state = join(directory, "state");
	const env = {
		ORCHESTRATOR_URL: url,
		ORCHESTRATOR_TOKEN: undefined,
		ORCHESTRATOR_CLAIM_USER: "alice",
		DATABASE_PATH: database,
		STATE_DIRECTORY: state,
		PORT: "1",
		...settings,
	};

	await createUserDatabase(database);
	return {
		state,
		tether: join(state, "tether.db"),
		start: (more = {}, args = ["-d"]) => startTetherd(stage,
			{ args, database: false, env: { ...env, ...more } }),
	};
}

async function start(stage, settings = {}, options = {}) {
	const orchestrator = await Orchestrator.start(stage, options);
	const place = await makePlace(stage, orchestrator.url, settings);
	const tetherd = await place.start();
	return { orchestrator, place, tetherd };
}

async function startPending(stage, settings, options) {
	const all = await start(stage, settings, options);
	const connection = await all.orchestrator.pending();
	await all.tetherd.line("pending at ");
	return { ...all, connection };
}

// The next one is registered with that token and name.
async function assertRegistered(orchestrator, client_id = "box7",
    token = GRANTED) {
	const connection = await orchestrator.registered();
	const { pathname, searchParams } = new URL(connection.url, "ws://h");
	assert.equal(pathname, "/ws/connect");
	assert.equal(searchParams.get("token"), token);
	assert.equal(searchParams.get("client_id"), client_id);
	assert.equal(connection.register.client_id, client_id);
	assert.equal(connection.register.user_token, token);
	return connection;
}

// A line that came after that many.
const after = (tetherd, line, from = tetherd.lines.length) =>
	tetherd.line(line, { from });

const assertNoSecrets = (tetherd) => {
	for (const line of tetherd.lines)
		assert.doesNotMatch(line, /ao_\d|pending_[0-9a-f]{8}/);
};

async function status(tetherd) {
	const { code, stdout, stderr } =
		await tetherctl(tetherd, "-j", "show", "status");
	assert.equal(code, 0, stderr);
	return stdout;
}

async function forget(tetherd, orchestrator) {
	const { code, stderr } = await tetherctl(tetherd, "tokens", "forget",
		`127.0.0.1:${orchestrator.port}`);
	assert.equal(code, 0, stderr);
}

async function kill(tetherd, name) {
	const from = tetherd.lines.length;
	process.kill(tetherd.childPid(name), "SIGKILL");
	await tetherd.line(`lost child: ${name}`, { from });
}

describe("waiting to be claimed", { concurrency: 4 }, () => {
	scenario("what is said, and that no token is", async (stage) => {
		const { orchestrator, tetherd, connection } = await startPending(
			stage, {
				ORCHESTRATOR_CLAIM_USER: "alice,bob",
				ORCHESTRATOR_CLAIM_ORG: "acme",
				ORCHESTRATOR_CLAIM_TEAM: "acme/staff",
				ORCHESTRATOR_HEARTBEAT_INTERVAL: "200",
			});
		const { pathname, searchParams } =
			new URL(connection.url, "ws://h");
		assert.equal(pathname, "/ws/pending");
		assert.deepEqual([...searchParams], [["user", "alice,bob"],
			["org", "acme"], ["team", "acme/staff"]]);
		assert.equal(connection.headers.authorization, undefined);

		const { pending_id, project, receivedAt, ...rest } =
			connection.pending;
		assert.match(pending_id, /^pending_[0-9a-f]{32}$/);
		assert.match(project, /^\//);
		assert.deepEqual(rest, { type: "pending_register",
			hostname: hostname(), platform: "linux" });

		let last = receivedAt;
		for (let i = 0; i < 3; i++) {
			const ping = await connection.receive("ping");
			assert.equal(ping.client_id, CLIENT);
			assert.equal(ping.pending_id, pending_id);
			const gap = ping.receivedAt - last;
			assert.ok(gap >= 150 && gap < 1500, `${gap} ms`);
			last = ping.receivedAt;
		}
		await tetherd.line(`pending at ws://127.0.0.1:${orchestrator.port}` +
			": waiting to be claimed by user alice bob, org acme, " +
			"team acme/staff");
		assert.match(await status(tetherd), new RegExp("pending: waiting " +
			"to be claimed by user alice bob, org acme, team acme/staff"));
		assert.equal(orchestrator.upgrades.length, 1);
		assertNoSecrets(tetherd);
	});

	scenario("other members of the query stay, a token does not",
		async (stage) => {
			const orchestrator = await Orchestrator.start(stage);
			const place = await makePlace(stage, `${orchestrator.url}` +
				"?token=old&zone=a%20b&client_id=x&user=eve&last");
			await place.start();
			const { url } = await orchestrator.pending();
			assert.equal(url, "/ws/pending?zone=a%20b&last&user=alice");
		});

	scenario("rules stand in for claims", async (stage) => {
		const { connection } = await startPending(stage, {
			ORCHESTRATOR_CLAIM_USER: undefined,
			ORCHESTRATOR_GITHUB_USERS: "ada,bob",
			ORCHESTRATOR_GITHUB_ORG: "acme",
			GITHUB_TOKEN: undefined,
		});
		const { searchParams } = new URL(connection.url, "ws://h");
		assert.deepEqual([...searchParams],
			[["user", "ada,bob"], ["org", "acme"]]);
	});

	scenario("nobody to claim it: held until asked", async (stage) => {
		const { orchestrator, tetherd } = await start(stage,
			{ ORCHESTRATOR_CLAIM_USER: undefined });
		await tetherd.line(HELD);
		for (const signal of ["SIGUSR2", "SIGHUP"]) {
			const from = tetherd.lines.length;
			tetherd.signal(signal);
			await tetherd.line(HELD, { from });
		}
		const warning = `no token for 127.0.0.1:${orchestrator.port}: set ` +
			"orchestrator token, or claim user, org or team to have one " +
			"granted";
		assert.equal(tetherd.all(warning).length, 3);
		assert.equal(orchestrator.upgrades.length, 0);
		assert.match(await status(tetherd), /held until asked/);
	});

	scenario("success:false changes nothing", async (stage) => {
		const { orchestrator, tetherd, connection } = await startPending(
			stage, {}, { pending: { success: false,
				message: "Pending session not found. Please reconnect." } });
		await tetherd.line("still pending, though the orchestrator says: " +
			"Pending session not found. Please reconnect.");
		assert.equal(orchestrator.upgrades.length, 1);
		grant(connection);
		await assertRegistered(orchestrator);
	});

	scenario("no request is served", async (stage) => {
		const { tetherd, connection } = await startPending(stage);
		connection.request({ path: "/" }).catch(() => {});
		await tetherd.line("http_proxy_request before registered ignored");
		assert.equal(connection.surplus.length, 0);
		assert.equal(connection.answers.size, 1);
	});

	scenario("for longer than a connection may take to be made",
		async (stage) => {
			const { orchestrator, tetherd } = await startPending(stage);
			await sleep(31000);
			assert.equal(orchestrator.upgrades.length, 1);
			assert.deepEqual(tetherd.all("disconnected"), []);
			assert.match(await status(tetherd), /pending: waiting/);
		});

	scenario("no pong: another connection, and another id", async (stage) => {
		const { orchestrator, connection } = await startPending(stage,
			{ ORCHESTRATOR_HEARTBEAT_INTERVAL: "300" }, { pong: false });
		assert.equal((await connection.closed).code, 1006);
		const { pending } = await orchestrator.pending();
		assert.notEqual(pending.pending_id, connection.pending.pending_id);
	});

	for (const verdict of ["401 Unauthorized", "404 Not Found"])
		scenario(`the upgrade is answered with ${verdict}`,
			async (stage) => {
				let good = false;
				const { orchestrator, tetherd } = await start(stage, {},
					{ admit: () => good || verdict });
				await tetherd.line("disconnected: upgrade without a token " +
					`refused: HTTP ${verdict.slice(0, 3)}; next attempt`);
				good = true;
				await orchestrator.pending();
			});
});

describe("a token is granted", { concurrency: 4 }, () => {
	scenario("kept, used, and used again after a restart", async (stage) => {
		const upstream = await startSampleApp(stage);
		const { orchestrator, place, tetherd, connection } =
			await startPending(stage, { PORT: String(upstream.port),
				ORCHESTRATOR_RECONNECT_INTERVAL: "60000" });
		const began = Date.now();
		grant(connection);
		assert.equal((await connection.closed).code, 1000);
		const now = await assertRegistered(orchestrator);
		assert.ok(Date.now() - began < 5000, "at once");
		const answer = await now.request(
			{ path: "/", headers: identity(1, "ada"),
				proxy_base: "/clients/box7/proxy" });
		assert.equal(answer.status, 200);
		await tetherd.line("orchestrator token granted by " +
			`127.0.0.1:${orchestrator.port}, kept in tether.db`);
		await tetherd.line(/connector\[\d+\]: claimed as box7$/);
		await tetherd.line("audit: token allowed grant why=" +
			`"127.0.0.1:${orchestrator.port}, for box7"`);
		await tetherd.line("client id box7, for which the token was " +
			`granted, instead of ${CLIENT}`);
		await tetherd.line(/registered with .* as box7$/);
		assert.match(await status(tetherd), /"box7"/);
		now.send({ type: "command", command: "refresh_status" });
		assert.equal((await now.receive("status_update")).client_id,
			"box7");
		assertNoSecrets(tetherd);
		assert.equal((await stat(place.tether)).mode & 0o777, 0o600);
		await tetherd.stop();

		const again = await place.start();
		await assertRegistered(orchestrator);
		assert.deepEqual(orchestrator.upgrades.slice(1).map(({ url }) =>
			new URL(url, "ws://h").pathname), ["/ws/connect", "/ws/connect"]);
		// Also where nobody may claim it any more.
		await again.stop();
		await place.start({ ORCHESTRATOR_CLAIM_USER: undefined });
		await assertRegistered(orchestrator);
		// What is configured comes first, with its own name.
		const other = await place.start({ ORCHESTRATOR_TOKEN: "ao_1_mine" });
		await assertRegistered(orchestrator, CLIENT, "ao_1_mine");
		await other.stop();
		await place.start();
		await assertRegistered(orchestrator);
	});

	scenario("what is hostile or out of place", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		const bad = [
			["", "x"], ["a b", "x"], ["a\r\nX: y", "x"], ["a\u0000b", "x"],
			["é", "x"], ["t".repeat(4097), "x"], ["t", ""], ["t", ".."],
			["t", "../x"], ["t", "a/b"], ["t", "a\u001b[2J"],
			["t", "x".repeat(129)], [7, "x"], ["t", null],
		];
		for (const [token, client_id] of bad) {
			const from = tetherd.lines.length;
			grant(connection, client_id, token);
			const line = await tetherd.line("token_granted", { from });
			assert.match(line, /without a valid (token|client_id) ignored$/);
		}
		for (const [message, line] of [
			[{ type: "registered", success: true },
				"registered while pending ignored"],
			[{ type: "registered", success: false, message: "x" },
				"registered while pending ignored"],
			[{ type: "pending_registered" }, "without a valid success"],
			[{ type: "authorization_denied" }, "without a valid reason"],
			[{ type: "authorization_timeout" }, "without a valid message"],
			[{ type: "user_request", request_id: "1", action: "x" },
				"before registered ignored"],
		]) {
			const from = tetherd.lines.length;
			connection.send(message);
			await tetherd.line(line, { from });
		}
		assert.equal(orchestrator.upgrades.length, 1);

		// Of a flood the first one counts, and costs one connection.
		for (let i = 0; i < 2000; i++)
			grant(connection, `box${i}`, `${GRANTED}-${i}`);
		const now = await assertRegistered(orchestrator, "box0",
			`${GRANTED}-0`);
		await tetherd.registered();
		for (const message of [
			{ type: "token_granted", token: "ao_9_x", client_id: "y" },
			{ type: "authorization_denied", reason: "" },
			{ type: "authorization_timeout", message: "" },
			{ type: "pending_registered", success: true },
		]) {
			const from = tetherd.lines.length;
			now.send(message);
			await tetherd.line(`${message.type} ignored: not pending`,
				{ from });
		}
		now.send({ type: "command", command: "refresh_status" });
		await now.receive("status_update");
		assert.equal(orchestrator.upgrades.length, 2);
		assertNoSecrets(tetherd);
	});

	scenario("one of 32 MB", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		const memory = async () => Number(/VmHWM:\s+(\d+)/.exec(
			await readFile(`/proc/${tetherd.childPid("connector")}/status`,
				"utf8"))[1]);
		const before = await memory();
		grant(connection, "x", "t".repeat(32 << 20));
		assert.equal((await connection.closed).code, 1009);
		const again = await orchestrator.pending();
		const grown = await memory() - before;
		assert.ok(BUILD.includes("address") || grown < 4096,
			`${grown} KiB more`);
		grant(again);
		const now = await assertRegistered(orchestrator);
		await tetherd.registered();
		grant(now, "x", "t".repeat(31 << 20));
		await tetherd.line("token_granted ignored: not pending");
		now.send({ type: "command", command: "refresh_status" });
		await now.receive("status_update");
	});

	scenario("it cannot be stored", async (stage) => {
		const { orchestrator, place, tetherd, connection } =
			await startPending(stage);
		const release = await lock(stage, place.tether, "IMMEDIATE");
		grant(connection);
		await assertRegistered(orchestrator);
		await tetherd.line("can't be stored: kept in memory until authd ends");
		await release();
		tetherd.signal("SIGUSR2");
		await assertRegistered(orchestrator);
		await tetherd.line("is kept in tether.db now");
		await tetherd.stop();
		await place.start();
		await assertRegistered(orchestrator);
	});

	scenario("nobody can tell whether there is one: not kept before that",
		async (stage) => {
			const { orchestrator, place, tetherd, connection } =
				await startPending(stage);
			const release = await lock(stage, place.tether);
			grant(connection);
			await tetherd.line("not kept: cannot tell whether there is one");
			await release();
			await assertRegistered(orchestrator);
			await tetherd.line("kept in tether.db");
		});

	scenario("there is no place for a database", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const place = await makePlace(stage, orchestrator.url);
		await mkdir(place.tether, { recursive: true });
		const tetherd = await place.start();
		// Nobody can tell whether there is a token.
		await tetherd.line("not a regular file");
		await rmdir(place.tether);
		await orchestrator.pending();
	});

	scenario("refused with 401: it stays, and what to do is said",
		async (stage) => {
			let good = true;
			const { orchestrator, place, tetherd, connection } =
				await startPending(stage, {}, { admit: (req) =>
					good || req.url.startsWith("/ws/pending") ||
					"401 Unauthorized" });
			grant(connection);
			await assertRegistered(orchestrator);
			good = false;
			tetherd.signal("SIGUSR2");
			await tetherd.line("HTTP 401, the token is not valid; to have " +
				"another one granted: tetherctl tokens forget " +
				`127.0.0.1:${orchestrator.port}; next attempt in 60000 ms`);
			assert.equal((await sql(place.tether,
				"SELECT * FROM tokens")).length, 1);
			// Forgotten: it is to be claimed again.
			await forget(tetherd, orchestrator);
			assert.deepEqual(await sql(place.tether,
				"SELECT * FROM tokens"), []);
			tetherd.signal("SIGUSR2");
			const from = tetherd.lines.length;
			grant(await orchestrator.pending(), "box8", "ao_8_other");
			// What is said of one is not said of another.
			await tetherd.line("HTTP 401, the token is not valid",
				{ from });
			good = true;
			tetherd.signal("SIGUSR2");
			await assertRegistered(orchestrator, "box8", "ao_8_other");
		});

	scenario("forgotten while in use: the connection stays", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		grant(connection);
		const now = await assertRegistered(orchestrator);
		await tetherd.registered();
		const { stdout } = await tetherctl(tetherd, "tokens");
		assert.match(stdout, new RegExp(
			`127\\.0\\.0\\.1:${orchestrator.port} .*box7.*yes`));
		assert.doesNotMatch(stdout, /ao_/);
		await forget(tetherd, orchestrator);
		now.send({ type: "command", command: "refresh_status" });
		await now.receive("status_update");
		now.socket.destroy();
		await orchestrator.pending();
	});
});

describe("nobody grants one", { concurrency: 4 }, () => {
	scenario("denied: held until asked", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		connection.send({ type: "authorization_denied",
			reason: "by Eve\u001b[2J" });
		assert.equal((await connection.closed).code, 1000);
		const line = await tetherd.line("authorization denied: by Eve");
		assert.doesNotMatch(line, /\u001b/);
		await tetherd.line(HELD);
		await sleep(500);
		assert.equal(orchestrator.upgrades.length, 1);
		tetherd.signal("SIGUSR2");
		const again = await orchestrator.pending();
		again.send({ type: "authorization_denied", reason: "" });
		await again.closed;
		tetherd.signal("SIGHUP");
		await orchestrator.pending();
	});

	for (const [name, end] of [
		["told", (c) => c.send(
			{ type: "authorization_timeout", message: "10 minutes" })],
		["closed with 4000", (c) => c.close(4000, "timeout")],
		["both", (c) => {
			c.send({ type: "authorization_timeout", message: "10 minutes" });
			return c.close(4000, "timeout");
		}],
	])
		scenario(`not in time, ${name}: after the longest delay`,
			async (stage) => {
				const { orchestrator, tetherd, connection } =
					await startPending(stage);
				await end(connection);
				await connection.closed;
				await tetherd.line("next attempt in 60000 ms");
				await sleep(500);
				assert.equal(orchestrator.upgrades.length, 1);
				tetherd.signal("SIGUSR2");
				await orchestrator.pending();
			});

	scenario("any other end: as ever", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		await connection.close(1000);
		const again = await orchestrator.pending();
		again.socket.destroy();
		await orchestrator.pending();
		for (const line of tetherd.all("next attempt"))
			assert.ok(/in (\d+) ms/.exec(line)[1] <= 250, line);
	});
});

describe("what happens meanwhile", { concurrency: 4 }, () => {
	scenario("each process is killed while it waits", async (stage) => {
		const { orchestrator, place, tetherd, connection } =
			await startPending(stage);
		for (const name of ["authd", "proxyd"]) {
			const ready = after(tetherd, `${name}: started`);
			await kill(tetherd, name);
			await ready;
		}
		assert.equal(orchestrator.upgrades.length, 1);
		await kill(tetherd, "connector");
		assert.equal((await connection.closed).code, 1006);
		const second = await orchestrator.pending();
		assert.notEqual(second.pending.pending_id,
			connection.pending.pending_id);
		grant(second);
		const now = await assertRegistered(orchestrator);
		await tetherd.registered();
		await kill(tetherd, "connector");
		await now.closed;
		const next = await assertRegistered(orchestrator);
		await kill(tetherd, "authd");
		next.socket.destroy();
		await assertRegistered(orchestrator);
		// And all of it at once.
		tetherd.signal("SIGKILL");
		await tetherd.ended();
		await place.start();
		await assertRegistered(orchestrator);
	});

	scenario("authd is gone when it is granted", async (stage) => {
		const { orchestrator, place, tetherd, connection } =
			await startPending(stage);
		const lost = kill(tetherd, "authd");
		grant(connection);
		await lost;
		await assertRegistered(orchestrator);
		await tetherd.registered();
		const [row] = await sql(place.tether, "SELECT * FROM tokens");
		assert.equal(row.token, GRANTED);
		assert.equal(row.host, `127.0.0.1:${orchestrator.port}`);
		assert.ok(Math.abs(row.granted_at - Date.now() / 1000) < 60);
	});

	scenario("connector is killed once it is granted", async (stage) => {
		const { orchestrator, tetherd, connection } =
			await startPending(stage);
		grant(connection);
		await connection.closed;
		await kill(tetherd, "connector");
		await tetherd.registered();
		for (const { url } of orchestrator.upgrades.slice(1))
			assert.match(url, /^\/ws\/connect/);
	});

	scenario("connector is killed before authd reads of it",
		async (stage) => {
			const { orchestrator, tetherd, connection } =
				await startPending(stage);
			const authd = tetherd.childPid("authd");
			process.kill(authd, "SIGSTOP");
			// What tetherd says is read first, and of a new connector.
			tetherd.signal("SIGUSR1");
			await tetherd.line("status: proxyd: running");
			grant(connection);
			await connection.closed;
			await kill(tetherd, "connector");
			await until(() => orchestrator.sockets.size === 0, "still there");
			await until(() => orchestrator.sockets.size === 1, "no other");
			process.kill(authd, "SIGCONT");
			await assertRegistered(orchestrator);
			assert.equal(orchestrator.upgrades.length, 2);
		});

	scenario("tetherd is killed once it is kept", async (stage) => {
		const { orchestrator, place, tetherd, connection } =
			await startPending(stage);
		grant(connection);
		await tetherd.line("kept in tether.db");
		tetherd.signal("SIGKILL");
		await tetherd.ended();
		await until(() => orchestrator.sockets.size === 0, "still there");
		orchestrator.connections.items.length = 0;
		await place.start();
		await assertRegistered(orchestrator);
	});

	scenario("tetherd stops while it waits", async (stage) => {
		const { tetherd, connection } = await startPending(stage);
		tetherd.signal("SIGTERM");
		assert.equal((await connection.closed).code, 1000);
		assert.equal((await tetherd.ended()).code, 0);
	});

	scenario("the settings change", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const there = await Orchestrator.start(stage);
		const place = await makePlace(stage, "", {
			ORCHESTRATOR_MODE: undefined, ORCHESTRATOR_URL: undefined,
			ORCHESTRATOR_CLAIM_USER: undefined,
			ORCHESTRATOR_CLIENT_ID: undefined,
		});
		const file = join(await stage.directory(), "tetherd.conf");
		let tetherd;
		const set = async (url, more = "") => {
			await writeFile(file, `orchestrator {\nmode client\nurl "${url}"
				client id box\nreconnect interval 100ms\n${more}\n}\n`,
			{ mode: 0o600 });
			if (tetherd === undefined)
				return;
			const done = after(tetherd, "settings reloaded");
			tetherd.signal("SIGHUP");
			await done;
		};

		await set(orchestrator.url);
		tetherd = await place.start({}, ["-d", "-f", file]);
		await tetherd.line(HELD);
		await set(orchestrator.url, "claim user alice");
		const first = await orchestrator.pending();
		// Nothing that concerns it.
		await set(orchestrator.url, "claim user alice\n" +
			"heartbeat interval 100ms");
		await first.receive("ping");
		assert.equal(orchestrator.upgrades.length, 1);
		await set(orchestrator.url, "claim user bob");
		assert.equal((await first.closed).code, 1000);
		const second = await orchestrator.pending();
		assert.match(second.url, /user=bob/);
		await set(there.url, "claim user bob");
		assert.equal((await second.closed).code, 1000);
		// Each host has a token of its own.
		grant(await there.pending(), "there", "ao_2_there");
		await assertRegistered(there, "there", "ao_2_there");
		await set(orchestrator.url, "claim user bob");
		grant(await orchestrator.pending(), "here", "ao_3_here");
		await assertRegistered(orchestrator, "here", "ao_3_here");
		await set(there.url, "claim user bob");
		await assertRegistered(there, "there", "ao_2_there");
		await set(orchestrator.url);
		await assertRegistered(orchestrator, "here", "ao_3_here");
		assert.deepEqual((await sql(place.tether, "SELECT host, client_id " +
			"FROM tokens ORDER BY granted_at, client_id DESC"))
			.map(({ host, client_id }) => [host, client_id]).sort(), [
			[`127.0.0.1:${orchestrator.port}`, "here"],
			[`127.0.0.1:${there.port}`, "there"]].sort());
		// One that is configured ends the waiting.
		await sql(place.tether, "DELETE FROM tokens");
		await set(there.url, "claim user bob");
		const last = await there.pending();
		await set(there.url, "claim user bob\ntoken ao_4_mine");
		assert.equal((await last.closed).code, 1000);
		await assertRegistered(there, "box", "ao_4_mine");
		await set(there.url, "claim user bob");
		await there.pending();
	});

	scenario("the settings change as it is granted", async (stage) => {
		const orchestrator = await Orchestrator.start(stage);
		const place = await makePlace(stage, orchestrator.url);
		for (let i = 0; i < 5; i++) {
			const tetherd = await place.start();
			const connection = await orchestrator.pending();
			tetherd.signal("SIGHUP");
			await sleep(5 * i);
			grant(connection);
			await assertRegistered(orchestrator);
			await tetherd.registered();
			await tetherd.stop();
			orchestrator.connections.items.length = 0;
			await sql(place.tether, "DELETE FROM tokens");
		}
	});
});

describe("with tether-hub", { concurrency: 4 }, () => {
	for (const args of [[], ["--duratii"]])
		scenario(`claimed, used and kept ${args}`, async (stage) => {
			const file = join(await stage.directory(), "tokens");
			await writeFile(file, "# granted ones follow\n", { mode: 0o600 });
			const port = await freePort();
			const start = () => startHub(stage, ["--user", "1:alice",
				"--token-file", file, "--listen", `127.0.0.1:${port}`,
				...args]);
			const hub = await start();
			const upstream = await startSampleApp(stage);
			const place = await makePlace(stage, hub.connectUrl,
				{ PORT: String(upstream.port) });
			const tetherd = await place.start();
			await tetherd.line("pending at ");
			const list = async () =>
				(await request(`${hub.url}/api/pending`)).json;
			const [entry] = await until(async () => {
				const all = await list();
				return all.length > 0 && all[0].hostname !== "" && all;
			}, "not to be claimed");
			assert.deepEqual(entry.allowed_users, ["alice"]);
			assert.equal(entry.hostname, hostname());
			const { status: done, json } = await request(
				`${hub.url}/api/pending/${entry.pending_id}/claim`,
				{ method: "POST", headers: { Origin: hub.url } });
			assert.equal(done, 200);
			await tetherd.registered();
			assert.deepEqual(await list(), []);
			const get = async () => (await request(
				`${hub.url}/clients/${json.client_id}/proxy/`)).status;
			assert.equal(await get(), 200);
			await tetherd.stop();

			const again = await place.start();
			await again.registered();
			assert.deepEqual(again.all("pending at "), []);
			assert.equal(await get(), 200);
			await hub.stop();
			const from = again.lines.length;
			await start();
			await again.registered(from);
			assert.equal(await get(), 200);
		});

	scenario("denied, and not for anybody else", async (stage) => {
		const hub = await startHub(stage, ["--user", "1:eve"]);
		const place = await makePlace(stage, hub.connectUrl);
		const tetherd = await place.start();
		await tetherd.line("pending at ");
		assert.deepEqual((await request(`${hub.url}/api/pending`)).json, []);
		await tetherd.stop();
		const other = await place.start({ ORCHESTRATOR_CLAIM_ORG: "acme" });
		const [entry] = await until(async () => {
			const { json } = await request(`${hub.url}/api/pending`);
			return json.length > 0 && json;
		}, "not to be claimed");
		await request(`${hub.url}/api/pending/${entry.pending_id}/deny`,
			{ method: "POST", headers: { Origin: hub.url } });
		await other.line("authorization denied: Denied by user");
		await other.line(HELD);
	});
});
