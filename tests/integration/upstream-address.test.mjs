// Upstreams at a socket in the file system.

import assert from "node:assert/strict";
import { chmod, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";

import { Browser } from "./lib/chat.mjs";
import { startConf } from "./lib/conf-file.mjs";
import { startFakeApp } from "./lib/fake-app.mjs";
import { good, startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline, until } from "./lib/time.mjs";
import { echo, makeHandle, Page, startSocketUpstream } from
	"./lib/tunnel.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ROOT_ONLY = process.getuid() === 0
	? { skip: "root may connect to any socket" } : {};
const at = (path) => `upstream { address "unix:${path}" }\n`;
const tcp = (port) => `upstream { port ${port} }\n`;
const status = async (tetherd) =>
	(await tetherctl(tetherd, "show", "status")).stdout;

const start = async (stage, text, orchestrator) => {
	const conf = await startConf(stage, text);
	const instance = await startInstance(stage, { args: conf.args,
		orchestrator, upstream: () => ({}), env: { PORT: undefined } });
	return { ...instance, conf };
};

// A socket of that name that says it.
const serve = async (stage, name, scripts = {}) => {
	const path = join(await stage.directory(), name);
	const upstream = await startHostile(stage, scripts,
		{ listen: path, play: (request, socket) =>
			socket.write(good(`${name} ${request.target}`)) });
	return Object.assign(upstream, { path, scripts });
};

// The same server, at a socket.
async function relay(stage, path, { port }) {
	const sockets = new Set();
	const server = createServer((socket) => {
		const through = connect(port, "127.0.0.1");
		for (const one of [socket, through]) {
			sockets.add(one);
			one.on("error", () => {});
		}
		socket.pipe(through).pipe(socket);
	});
	await new Promise((resolve) => server.listen(path, resolve));
	stage.atEnd(() => {
		server.close();
		for (const socket of sockets)
			socket.destroy();
	});
}

describe("an upstream at a socket", { concurrency: 2 }, () => {
	scenario("is asked like any other", async (stage) => {
		const upstream = await serve(stage, "app");
		const { connection, tetherd } = await start(stage, at(upstream.path));
		for (const method of ["GET", "POST", "GET", "HEAD"]) {
			const answer = await connection.request({ method, path: "/x",
				body: method === "POST" ? "b" : null });
			assert.equal(answer.status, 200, answer.body);
			if (method !== "HEAD")
				assert.equal(answer.body, "app /x");
		}
		assert.match(upstream.requests[0].head, /^host: localhost$/im);
		assert.equal(upstream.connections.length, 2, "kept, and the POST's");
		const text = await status(tetherd);
		assert.match(text, new RegExp(`unix:${upstream.path}\\b`));
		assert.doesNotMatch(text, /http:\/\/localhost/);
	});

	scenario("redirects within itself", async (stage) => {
		const upstream = await serve(stage, "app");
		const { connection } = await start(stage, at(upstream.path));
		const to = (location) => `HTTP/1.1 302 Go\r\nLocation: ${location}` +
			"\r\nContent-Length: 0\r\n\r\n";
		Object.assign(upstream.scripts, {
			"/rooted": to("/end"), "/relative": to("end?x=1"),
			"/whole": to("http://localhost/end"),
			"/port": to("http://localhost:80/end"),
			"/away": to("http://localhost:8080/end"),
			"/else": to("http://127.0.0.1/end"),
			"/secure": to("https://localhost/end"),
		});
		for (const [path, body] of [["/rooted", "app /end"],
			["/relative", "app /end?x=1"], ["/whole", "app /end"],
			["/port", "app /end"]])
			assert.equal((await connection.request({ path })).body, body);
		for (const path of ["/away", "/else", "/secure"])
			assert.equal((await connection.request({ path })).status, 302);
	});

	scenario("redirects below the prefix", async (stage) => {
		const upstream = await serve(stage, "app", {
			"/whole": "HTTP/1.1 302 Go\r\nLocation: http://localhost/end" +
				"\r\nContent-Length: 0\r\n\r\n",
		});
		const { connection } = await start(stage, at(upstream.path),
			{ register: { capabilities: ["status"] } });
		const answer = await connection.request({ path: "/whole",
			proxy_base: "/clients/box/proxy" });
		assert.equal(answer.header("location"), "/clients/box/proxy/end");
	});

	scenario("is another one, by a reload", async (stage) => {
		const one = await serve(stage, "one"), two = await serve(stage, "two");
		const three = await startHostile(stage, {},
			{ play: (request, socket) => socket.write(good("three /x")) });
		const { conf, connection, tetherd } = await start(stage, at(one.path));
		const ask = async () =>
			(await connection.request({ path: "/x" })).body;
		const hold = () => new Promise((resolve) => {
			one.scripts["/held"] = (request, socket) => resolve(socket);
		});
		for (let i = 0; i < 3; i++) {
			const held = hold();
			const slow = connection.request({ path: "/held" });
			const socket = await held;
			const changed = conf.change(at(two.path), tetherd,
				`upstream is unix:${two.path} now`);
			await pause(100);
			socket.write(good("at last"));
			assert.equal((await slow).body, "at last");
			await changed;
			assert.equal(await ask(), "two /x");
			await conf.change(tcp(three.port), tetherd,
				`upstream is http://127.0.0.1:${three.port} now`);
			assert.equal(await ask(), "three /x");
			await conf.change(at(one.path), tetherd,
				`upstream is unix:${one.path} now`);
			assert.equal(await ask(), "one /x");
		}
		// The same again is none.
		const from = tetherd.lines.length;
		await conf.change(`${at(one.path)}limits { body 1M }\n`, tetherd);
		assert.equal(await ask(), "one /x");
		assert.ok(!tetherd.lines.slice(from).some((line) =>
			line.includes("upstream is")));
		assert.deepEqual(tetherd.all("lost child"), []);
	});

	scenario("whose failure says nothing of another", async (stage) => {
		const one = await serve(stage, "one"), two = await serve(stage, "two");
		const { conf, connection, tetherd } = await start(stage, at(one.path));
		const held = new Promise((resolve) => {
			one.scripts["/held"] = (request, socket) => resolve(socket);
		});
		const slow = connection.request({ path: "/held" });
		const socket = await held;
		await conf.change(at(two.path), tetherd);
		assert.equal((await connection.request({ path: "/" })).status, 200);
		socket.destroy();
		assert.equal((await slow).status, 502);
		const text = await status(tetherd);
		assert.match(text, new RegExp(`unix:${two.path}\\b.*\\n?.*answers`));
	});

	scenario("carries tunnels and streams", async (stage) => {
		const path = join(await stage.directory(), "app");
		const backend = await startSocketUpstream(stage, { connected: echo,
			handle: (req, res) => {
				res.writeHead(200, { "Content-Type": "text/event-stream" });
				res.end("data: x\n\n");
			} });
		await relay(stage, path, backend);
		const instance = await start(stage, at(path));
		const page = new Page(instance.connection);
		page.handle = await makeHandle(instance);
		const tunnel = page.open("/ws");
		assert.equal((await tunnel.opened).t, "open");
		await tunnel.send("through the file system");
		assert.equal(await tunnel.messages.next(), "through the file system");
		assert.equal(backend.upgrades[0].headers.host, "localhost");
		const stream = page.stream("/events");
		await deadline(stream.closed, 5000, "no end");
		assert.equal(stream.text, "data: x\n\n");
		// Tunnels are told when it is another socket.
		const other = await serve(stage, "other");
		await instance.conf.change(at(other.path), instance.tetherd);
		const closed = await deadline(tunnel.closed, 5000, "not closed");
		assert.equal(closed.code, 1012);
	});

	for (const kind of ["new", "old"])
		scenario(`carries chats, and is asked what runs: ${kind} app`,
			async (stage) => {
				const path = join(await stage.directory(), "app");
				const app = await startFakeApp(stage, { kind });
				await relay(stage, path, app);
				const { connection } = await start(stage, at(path));
				const session = new Browser(connection)
					.begin("get-active-sessions", {});
				const ws = await app.upstream.sockets.next();
				assert.equal(JSON.parse(await ws.received.next()).type,
					"get-active-sessions");
				ws.send("7");
				await session.chunks.next((data) => data === 7);
				assert.equal((await connection.receive("status_update"))
					.status, "active");
				app.runs.set("direct", null);
				assert.equal((await connection.receive("status_update"))
					.status, "busy");
				session.act("close");
				await session.ended();
			});

	scenario("that is not there, or none", async (stage) => {
		const folder = await stage.directory();
		const path = join(folder, "app");
		const { connection, tetherd } = await start(stage, at(path));
		const refused = async () => {
			const answer = await connection.request({ path: "/" });
			assert.equal(answer.status, 502);
			assert.equal(answer.json.error, "the web app cannot be reached");
		};
		await refused();
		await tetherd.line(`upstream unix:${path}: `);
		await writeFile(path, "");
		await refused();
		await rm(path);
		// Bound, and nobody listens.
		const gone = await startHostile(stage, {}, { listen: path });
		await gone.close();
		await refused();
		// There at last.
		await startHostile(stage, {}, { listen: path });
		assert.equal((await connection.request({ path: "/ok" })).status, 200);
		await until(() => tetherd.all(`upstream unix:${path} answers again`)
			.length === 1, "not said");
	});

	scenario("that is not permitted", ROOT_ONLY, async (stage) => {
		const upstream = await serve(stage, "app");
		const { connection } = await start(stage, at(upstream.path));
		await chmod(upstream.path, 0);
		assert.equal((await connection.request()).status, 502);
		await chmod(upstream.path, 0o600);
		assert.equal((await connection.request()).status, 200);
	});

	scenario("with a path that cannot be one", async (stage) => {
		const upstream = await serve(stage, "app");
		const { conf, connection, tetherd } =
			await start(stage, at(upstream.path));
		for (const path of ["", "app", "./app", `/${"x".repeat(120)}`]) {
			await conf.change(at(path), tetherd, "reload failed");
			assert.equal((await connection.request()).body, "app /");
		}
	});
});
