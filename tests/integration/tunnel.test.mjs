// WebSockets and event streams of pages.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe } from "node:test";

import { startInstance } from "./lib/instance.mjs";
import { BUILD } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline, until } from "./lib/time.mjs";
import { echo, makeHandle, Page, startPage, WINDOW } from "./lib/tunnel.mjs";
import { startRawUpstream } from "./lib/upstream.mjs";

// Where memory says nothing.
const sanitized = BUILD.includes("address");

const ended = (tunnel) => deadline(tunnel.closed, 15000, "no end");
const opened = async (tunnel) => {
	const data = await deadline(tunnel.opened, 15000, "not open");
	assert.equal(data.t, tunnel.kind === "stream" ? "head" : "open",
		JSON.stringify(data));
	return data;
};
const isRefused = (data, status) => {
	assert.equal(data.t, "close");
	assert.equal(data.code, 1006);
	assert.equal(data.clean, false);
	assert.match(data.reason, new RegExp(`^${status} .`));
};

// An opened tunnel and the upstream's socket of it.
async function open(page, upstream, path = "/ws", options = {}) {
	const tunnel = page.open(path, options);
	await opened(tunnel);
	return [tunnel, await upstream.sockets.next()];
}

const authorizationOf = (req) => req.headers.authorization?.split(" ")[1];

describe("WebSockets of pages", { concurrency: 4 }, () => {
	scenario("messages come back as they were", async (stage) => {
		const { page, upstream } = await startPage(stage,
			{ connected: echo });
		const [tunnel, ws] = await open(page, upstream);

		await eachRow(["", "a", "Zoë 🗝 \u0000\u001f\"\\", "x".repeat(65536),
			"\u0001".repeat(30000), "€".repeat(100000), Buffer.alloc(0),
			Buffer.from([0, 255, 128]), randomBytes(200000),
		], async (message) => {
			await tunnel.send(message);
			assert.deepEqual(await ws.received.next(), message);
			assert.deepEqual(await tunnel.messages.next(), message);
		});
	});

	scenario("who asks, and for what", async (stage) => {
		const { page, upstream } = await startPage(stage, {
			protocols: (offered) => [...offered][1] ?? false });
		const first = page.open("/ws?token=mine&a=1&%74oken=x",
			{ protocols: ["one", "two"] });
		assert.equal((await opened(first)).protocol, "two");
		const [req] = upstream.upgrades;
		const jwt = authorizationOf(req);
		assert.match(jwt, /^[\w-]+\.[\w-]+\.[\w-]+$/);
		assert.equal(req.url, `/ws?a=1&token=${jwt}`);
		assert.equal(req.headers.host, `127.0.0.1:${upstream.port}`);
		assert.equal(req.headers.origin, undefined);
		assert.equal(req.headers["sec-websocket-protocol"].replace(" ", ""),
			"one,two");
		const claims = JSON.parse(Buffer.from(jwt.split(".")[1],
			"base64url"));
		assert.equal(claims.username, "octocat");

		const second = page.open("/shell");
		assert.equal((await opened(second)).protocol, "");
		assert.equal(upstream.upgrades[1].url, `/shell?token=${jwt}`);
	});

	scenario("5 MB each way within the window", async (stage) => {
		const { page, upstream } = await startPage(stage,
			{ connected: echo });
		const [tunnel] = await open(page, upstream);
		const binary = randomBytes(5000000);
		const text = "Zoë 🗝 ".repeat(400000);

		await tunnel.send(binary);
		const back = await tunnel.messages.next();
		assert.ok(binary.equals(back));
		await tunnel.send(text);
		assert.ok(text === await tunnel.messages.next());
		assert.ok(tunnel.unacknowledgedMax <= WINDOW,
			`${tunnel.unacknowledgedMax} bytes`);
	});

	scenario("a page that does not acknowledge", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream, "/ws",
			{ acks: false });
		const other = page.open("/ws");
		await opened(other);
		const pid = tetherd.childPid("proxyd");
		const before = await residentKiB(pid);
		const data = randomBytes(20000000);

		ws.send(data);
		await until(() => tunnel.received === WINDOW, "no full window");
		// The other one is not held up.
		const otherWs = await upstream.sockets.next();
		otherWs.send("alive");
		assert.equal(await other.messages.next(), "alive");
		assert.equal(tunnel.received, WINDOW);
		assert.ok(ws.bufferedAmount > 1000000, `${ws.bufferedAmount}`);
		const grown = await residentKiB(pid) - before;
		assert.ok(sanitized || grown < 4096, `${grown} KiB`);
		// An acknowledgement of a part lets as much through.
		assert.deepEqual(await tunnel.ack(tunnel.pieces >> 1), { ok: true });
		await until(() => tunnel.received > WINDOW, "nothing more");
		assert.ok(tunnel.received < 2 * WINDOW);
		tunnel.acks = true;
		await tunnel.ack();
		assert.ok(data.equals(await tunnel.messages.next()));
	});

	scenario("an orchestrator that reads slowly", async (stage) => {
		const { page, upstream, tetherd, connection } =
			await startPage(stage);
		const data = randomBytes(1000000);
		const tunnels = [];
		for (let i = 0; i < 40; i++)
			tunnels.push(await open(page, upstream));
		const pid = tetherd.childPid("proxyd");
		const before = await residentKiB(pid);

		connection.socket.pause();
		for (const [, ws] of tunnels)
			ws.send(data);
		// Most of 40 times the window has no place to go.
		const unsent = () => tunnels.reduce((sum, [, ws]) =>
			sum + ws.bufferedAmount, 0);
		let was = 0;
		await until(async () => {
			await new Promise((resolve) => setTimeout(resolve, 300));
			return was === (was = unsent());
		}, "no end");
		const grown = await residentKiB(pid) - before;
		assert.ok(sanitized || grown < 8192, `${grown} KiB`);
		connection.socket.resume();
		for (const [tunnel] of tunnels)
			assert.ok(data.equals(await tunnel.messages.next()));
	});

	scenario("an upstream that does not read", async (stage) => {
		const { page, upstream } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);
		const data = randomBytes(20000000);
		let done = false;

		ws.pause();
		const sending = tunnel.send(data).then(() => {
			done = true;
		});
		await until(() => tunnel.owed > 0 && tunnel.credits.waiting.length,
			"the page does not wait");
		let sent = -1;
		await until(async () => {
			const was = sent;
			sent = tunnel.sent;
			await new Promise((resolve) => setTimeout(resolve, 200));
			return was === tunnel.sent;
		}, "it does not stop");
		assert.equal(done, false);
		ws.resume();
		await sending;
		assert.ok(data.equals(await ws.received.next()));
		await until(() => tunnel.owed === 0, "credit is missing");
	});

	scenario("a page that does not stop", async (stage) => {
		const { page, upstream } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);
		const piece = randomBytes(131072);

		ws.pause();
		const replies = [];
		for (let n = 0; n < 250; n++)
			replies.push(tunnel.sendPiece(n, piece));
		const end = await ended(tunnel);
		assert.equal(end.code, 1009);
		assert.ok((await Promise.all(replies)).some(({ error }) => error));
		ws.resume();
		// It may read what was sent before too slowly to hear of it.
		assert.ok([1001, 1006].includes((await ws.closed).code));
	});

	scenario("a piece that is too large", async (stage) => {
		const { page, upstream } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);

		assert.equal((await tunnel.sendPiece(0, "x".repeat(131072))).credit,
			131072);
		assert.equal((await tunnel.sendPiece(1, "x".repeat(131073))).error,
			true);
		assert.equal((await ended(tunnel)).code, 1009);
		assert.equal((await ws.closed).code, 1001);
	});

	scenario("closing by the page", async (stage) => {
		const { page, upstream } = await startPage(stage);
		await eachRow([
			[undefined, undefined, 1005], [1000, "", 1000],
			[1000, "done", 1000], [3000, "Zoë", 3000], [4999, "x", 4999],
			[4000, "x".repeat(123), 4000], [1001, "leaving", 1001],
		], async ([code, reason, wanted]) => {
			const [tunnel, ws] = await open(page, upstream);
			tunnel.send("last");
			assert.deepEqual(await tunnel.close(code, reason), { ok: true });
			assert.equal(await ws.received.next(), "last");
			assert.deepEqual(await ws.closed,
				{ code: wanted, reason: reason ?? "" });
			const end = await ended(tunnel);
			assert.equal(end.t, "close");
			assert.equal(end.code, wanted);
			assert.equal(end.clean, true);
			assert.equal((await tunnel.tell("pong")).error, true);
		});
	});

	scenario("closing by the upstream", async (stage) => {
		const { page, upstream } = await startPage(stage);
		await eachRow([
			[undefined, undefined, 1005], [1000, "", 1000],
			[1011, "sorry", 1011], [4401, "Zoë \"quoted\"", 4401],
		], async ([code, reason, wanted]) => {
			const [tunnel, ws] = await open(page, upstream);
			ws.send("last");
			ws.close(code, reason);
			assert.deepEqual(await ended(tunnel), { t: "close",
				code: wanted, clean: true, reason: reason ?? "" });
			assert.equal(await tunnel.messages.next(), "last");
		});
		const [tunnel, ws] = await open(page, upstream);
		ws.terminate();
		assert.deepEqual(await ended(tunnel), { t: "close", code: 1006,
			clean: false, reason: "" });
		await until(() => upstream.open === 0, "sockets are left");
	});

	scenario("an upstream that breaks the protocol", async (stage) => {
		const { page, upstream } = await startPage(stage);
		await eachRow([["83000000", 1002], ["810180", 1007],
			["880103", 1002]], async ([bytes, code]) => {
			const [tunnel, ws] = await open(page, upstream);
			ws.send("last");
			ws._socket.write(Buffer.from(bytes, "hex"));
			const end = await ended(tunnel);
			assert.equal(end.code, code);
			assert.equal(end.clean, false);
			assert.equal(await tunnel.messages.next(), "last");
		});
	});

	scenario("pieces in any order", async (stage) => {
		const { page, upstream } = await startPage(stage,
			{ connected: echo });
		const [tunnel] = await open(page, upstream);
		const numbers = Array.from({ length: 60 }, (_, n) => n);
		const order = [];

		while (numbers.length > 0)
			order.push(...numbers.splice(
				Math.floor(Math.random() * numbers.length), 1));
		const replies = order.map((n) =>
			tunnel.sendPiece(n, `m${n}`, n % 3 !== 2));
		for (const [i, { credit }] of (await Promise.all(replies)).entries())
			assert.equal(credit, `m${order[i]}`.length);
		for (let n = 0; n < 60; n += 3)
			assert.equal(await tunnel.messages.next(),
				`m${n}m${n + 1}m${n + 2}`);
		assert.equal((await tunnel.sendPiece(7, "again")).error, true);
	});

	scenario("a piece that never comes", async (stage) => {
		const { page, upstream } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);

		const reply = tunnel.sendPiece(1, "b");
		assert.deepEqual(await ended(tunnel),
			{ t: "close", code: 1006, clean: false, reason: "" });
		assert.equal((await reply).error, true);
		assert.equal((await ws.closed).code, 1001);
	});

	scenario("what is refused", async (stage) => {
		const { page, upstream, connection } = await startPage(stage, {
			admit: (req) => Number(/^\/(\d+)/.exec(req.url)?.[1] ?? 101) });
		await eachRow([
			["/ws", { handle: "" }, 403], ["/ws", { handle: "tether_x" }, 403],
			["/ws", { handle: `tether_${"A".repeat(43)}` }, 403],
			["/ws", { handle: "x".repeat(100000) }, 403],
			["/ws", { handle: null }, 400], ["ws", {}, 400],
			["//ws", {}, 400], ["/a\r\nb", {}, 400],
			["/ws", { protocols: ["a b"] }, 400],
			["/401", {}, 403], ["/404", {}, 502], ["/200", {}, 502],
		], async ([path, options, status]) =>
			isRefused(await ended(page.open(path, options)), status));
		assert.equal(upstream.upgrades.length, 3);
		for (const action of ["send", "ack", "pong", "close"]) {
			const reply = await page.ask(`tunnel.${action}`,
				{ id: "unknown", n: 0, d: "" });
			assert.deepEqual(reply,
				{ error: true, message: "no such tunnel" });
		}
		assert.equal(connection.messages.items.filter((m) =>
			m.type.startsWith("response")).length, 0);
	});

	scenario("a session that the upstream refuses is asked for anew",
		async (stage) => {
			let status = 401;
			const { page, upstream } = await startPage(stage,
				{ admit: () => status });
			isRefused(await ended(page.open("/ws")), 403);
			status = 101;
			await opened(page.open("/ws"));
			assert.equal(upstream.upgrades.length, 2);
		});

	scenario("an upstream that is away", async (stage) => {
		const { page, upstream } = await startPage(stage);
		await upstream.close();
		isRefused(await ended(page.open("/ws")), 502);
		const stream = await ended(page.stream("/events"));
		assert.equal(stream.t, "end");
		assert.match(stream.error, /^502 ./);
	});

	scenario("answers that are none", async (stage) => {
		const answers = ["", "garbage\r\n\r\n", "x".repeat(100000),
			"HTTP/1.1 101 OK\r\n\r\n",
			"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n" +
			"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"];
		const rest = [...answers];
		const instance = await startInstance(stage, {
			upstream: (s) => startRawUpstream(s, (socket, head) =>
				socket.end(/upgrade: websocket/i.test(head) ? rest.shift()
					: "HTTP/1.1 204 No\r\n\r\n")) });
		const page = new Page(instance.connection);
		page.handle = await makeHandle(instance);
		await eachRow(answers, async () =>
			isRefused(await ended(page.open("/ws")), 502));
		assert.equal(rest.length, 0);
	});

	scenario("a page that leaves before it is open", async (stage) => {
		const { page, upstream } = await startPage(stage,
			{ admit: () => 0 });
		const tunnel = page.open("/ws");
		await until(() => upstream.upgrades.length === 1, "no upgrade");
		const socket = upstream.upgrades[0].socket;
		const gone = new Promise((resolve) =>
			socket.resume().on("end", resolve));
		assert.deepEqual(await tunnel.close(), { ok: true });
		assert.equal((await ended(tunnel)).code, 1006);
		await deadline(gone, 5000, "the upstream's socket is left");
	});

	scenario("64 of one person", async (stage) => {
		const { page, upstream, ...instance } = await startPage(stage);
		const tunnels = [];

		for (let i = 0; i < 64; i++)
			tunnels.push(page.open("/ws"));
		await Promise.all(tunnels.map(opened));
		isRefused(await ended(page.open("/ws")), 503);
		const other = new Page(instance.connection);
		other.handle = await makeHandle(instance, 7, "hubot");
		await opened(other.open("/ws"));
		await tunnels[0].close();
		await ended(tunnels[0]);
		await opened(page.open("/ws"));
		assert.equal(upstream.open, 65);
	});

	scenario("the orchestrator goes", async (stage) => {
		const { page, upstream, connection, orchestrator, tetherd } =
			await startPage(stage);
		const [, one] = await open(page, upstream);
		const [, two] = await open(page, upstream);

		two.pause();
		connection.ws.terminate();
		assert.equal((await one.closed).code, 1001);
		two.resume();
		assert.notEqual((await two.closed).code, 1000);
		await until(() => upstream.open === 0, "sockets are left");
		// The next page begins anew.
		const next = new Page(await orchestrator.registered());
		await tetherd.registered();
		next.handle = page.handle;
		await opened(next.open("/ws"));
	});

	scenario("the instance stops", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);
		const stream = page.stream("/other");

		tetherd.signal("SIGTERM");
		// The connector may be faster than proxyd.
		const end = await ended(tunnel);
		assert.ok(end.error || end.code === 1001, JSON.stringify(end));
		await ended(stream);
		assert.equal((await ws.closed).code, 1001);
		assert.equal((await tetherd.ended()).code, 0);
	});

	scenario("the instance stops, all at once for proxyd", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [, ws] = await open(page, upstream);
		const connector = tetherd.childPid("connector");

		process.kill(tetherd.childPid("proxyd"), "SIGSTOP");
		tetherd.signal("SIGTERM");
		await until(() => {
			try {
				return !process.kill(connector, 0);
			} catch {
				return true;
			}
		}, "the connector goes on");
		process.kill(tetherd.childPid("proxyd"), "SIGCONT");
		assert.equal((await ws.closed).code, 1001);
		assert.equal((await tetherd.ended()).code, 0);
	});

	scenario("an upstream that does not say goodbye", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [, ws] = await open(page, upstream);

		ws.socket.pause();
		const before = Date.now();
		tetherd.signal("SIGTERM");
		assert.equal((await tetherd.ended()).code, 0);
		assert.ok(Date.now() - before < 4000, "waited too long");
		assert.equal(tetherd.all("not stopped in time").length, 0);
	});

	scenario("proxyd dies", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [tunnel, ws] = await open(page, upstream);

		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		assert.equal((await ended(tunnel)).error, true);
		assert.equal((await ws.closed).code, 1006);
		await until(async () =>
			(await page.open("/ws").opened).t === "open", "no new proxyd");
	});

	scenario("the connector dies", async (stage) => {
		const { page, upstream, tetherd } = await startPage(stage);
		const [, ws] = await open(page, upstream);

		process.kill(tetherd.childPid("connector"), "SIGKILL");
		assert.equal((await ws.closed).code, 1001);
	});

	const skip = sanitized &&
		"memory of a sanitizer's build says nothing";
	scenario("idle ones cost little", { skip }, async (stage) => {
		const { page, upstream, tetherd, ...instance } =
			await startPage(stage);
		const pages = [page];
		for (let i = 1; i < 4; i++) {
			const other = new Page(instance.connection);
			other.handle = await makeHandle(instance, i, `user${i}`);
			pages.push(other);
		}
		const pid = tetherd.childPid("proxyd");
		await open(page, upstream);
		const before = await residentKiB(pid);
		const tunnels = [];
		for (let i = 0; i < 200; i++) {
			const tunnel = pages[i % 4].open("/ws");
			await opened(tunnel);
			tunnel.send("x".repeat(20000));
			(await upstream.sockets.next()).send("y".repeat(20000));
			await tunnel.messages.next();
			tunnels.push(tunnel);
		}
		const each = (await residentKiB(pid) - before) / 200;
		assert.ok(each < 32, `${each} KiB each`);
	});
});

describe("event streams of pages", { concurrency: 4 }, () => {
	const events = (req, res) => {
		const [path] = req.url.split("?");
		(streams[path.slice(1)] ?? ok)(req, res);
	};
	const ok = (req, res) => res.end("ok");
	const streams = {
		tell: (req, res) => {
			res.writeHead(200, { "Content-Type": "text/event-stream",
				"X-Refreshed-Token": "secret", "X-Other": "yes",
				"Connection": "keep-alive" });
			res.end(JSON.stringify({ url: req.url, headers: req.headers }));
		},
		missing: (req, res) => res.writeHead(404).end("nope"),
		moved: (req, res) => res.writeHead(302, { Location: "/x" }).end(),
		split: async (req, res) => {
			res.writeHead(200, { "Content-Type": "text/event-stream" });
			for (const byte of Buffer.from("data: Zoë 🗝\n\n")) {
				res.write(Buffer.from([byte]));
				await new Promise((resolve) => setTimeout(resolve, 5));
			}
			res.end();
		},
		bytes: (req, res) => res.end(Buffer.from([0x61, 0xff, 0x62])),
		cut: (req, res) => {
			res.writeHead(200, { "Content-Length": "100" });
			res.write("half");
			setTimeout(() => res.destroy(), 50);
		},
		large: (req, res) => res.end("0123456789".repeat(300000)),
		head: (req, res) => res.writeHead(200,
			{ "X-Large": "x".repeat(70000) }).end(),
	};
	const start = (stage, options) => startPage(stage,
		{ handle: events, ...options });

	scenario("head, text, end", async (stage) => {
		const { page } = await start(stage);
		const stream = page.stream("/tell?a=1&token=mine", { headers: [
			["Accept", "text/event-stream"], ["Last-Event-ID", "7"],
			["Authorization", "Bearer mine"], ["Cookie", "a=b"],
			["X-Orchestrator-User-Id", "1"], ["Connection", "x-hop"],
			["X-Hop", "1"], ["Accept-Encoding", "gzip"]] });
		const head = await opened(stream);
		assert.equal(head.status, 200);
		const names = head.headers.map(([name]) => name);
		assert.ok(names.includes("x-other"));
		for (const name of ["connection", "keep-alive", "transfer-encoding",
			"x-refreshed-token"])
			assert.ok(!names.includes(name), name);
		assert.deepEqual(await ended(stream), { t: "end" });
		const { url, headers } = JSON.parse(stream.text);
		assert.equal(url, "/tell?a=1");
		assert.match(headers.authorization, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
		assert.equal(headers["last-event-id"], "7");
		assert.equal(headers.cookie, "a=b");
		for (const name of ["x-hop", "x-orchestrator-user-id",
			"accept-encoding"])
			assert.equal(headers[name], undefined, name);
	});

	scenario("statuses as they are", async (stage) => {
		const { page } = await start(stage);
		const missing = page.stream("/missing");
		assert.equal((await opened(missing)).status, 404);
		assert.deepEqual(await ended(missing), { t: "end" });
		assert.equal(missing.text, "nope");
		const moved = page.stream("/moved");
		const head = await opened(moved);
		assert.equal(head.status, 302);
		assert.ok(head.headers.some(([n, v]) =>
			n === "location" && v === "/x"));
	});

	scenario("characters that come in parts", async (stage) => {
		const { page } = await start(stage);
		const split = page.stream("/split");
		await ended(split);
		assert.equal(split.text, "data: Zoë 🗝\n\n");
		const bytes = page.stream("/bytes");
		await ended(bytes);
		assert.deepEqual(Buffer.concat(bytes.messages.items.map((m) =>
			Buffer.from(m))), Buffer.from([0x61, 0xff, 0x62]));
	});

	scenario("a page that reads slowly", async (stage) => {
		const { page } = await start(stage);
		const stream = page.stream("/large", { acks: false });
		await until(() => stream.received === WINDOW, "no full window");
		const other = page.stream("/tell");
		await ended(other);
		assert.equal(stream.received, WINDOW);
		stream.acks = true;
		await stream.ack();
		assert.deepEqual(await ended(stream), { t: "end" });
		assert.equal(stream.text, "0123456789".repeat(300000));
		assert.ok(stream.unacknowledgedMax <= WINDOW);
	});

	scenario("ends that are no good ones", async (stage) => {
		const { page } = await start(stage);
		const cut = page.stream("/cut");
		await opened(cut);
		assert.match((await ended(cut)).error, /^502 ./);
		assert.equal(cut.text, "half");
		assert.match((await ended(page.stream("/head"))).error, /^502 ./);
		for (const handle of ["", "tether_x"])
			assert.match((await ended(page.stream("/tell", { handle })))
				.error, /^403 ./);
		assert.match((await ended(page.stream("//tell"))).error, /^400 ./);
		assert.equal((await page.ask("stream.open", { handle: page.handle,
			path: "/tell", method: "POST" })).error, true);
	});

	scenario("cancelling", async (stage) => {
		const gone = {};
		const { page } = await start(stage, { handle: (req, res) => {
			if (req.url !== "/events")
				return res.end("ok");
			gone.promise = new Promise((resolve) =>
				res.on("close", resolve));
			res.writeHead(200, { "Content-Type": "text/event-stream" });
			res.write("data: 1\n\n");
		} });
		const stream = page.stream("/events");
		await opened(stream);
		assert.equal(await stream.messages.next(), "data: 1\n\n");
		assert.deepEqual(await stream.tell("cancel"), { ok: true });
		assert.deepEqual(await ended(stream), { t: "end" });
		await deadline(gone.promise, 5000, "the upstream is not told");
		assert.equal((await stream.tell("cancel")).error, true);
	});
});

async function residentKiB(pid) {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]);
}
