// tether-hub's side for people: browsers' sockets, pending instances, the
// page, passwords, and what hostile peers may try.

import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { Peer, instanceUrl, startBrowser, startPeer } from "./lib/hub-peer.mjs";
import { programPath, startHub } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const post = (url, body, headers = {}) => request(url, { method: "POST",
	body: body && JSON.stringify(body), headers });

// The hub without the arguments that startHub() gives.
async function startBare(stage, args, env = {},
	program = programPath("tether-hub")) {
	const hub = stage.start("tether-hub", program, args, { env });
	hub.port = Number((await hub.line("listening on")).split(":").pop());
	hub.url = `http://127.0.0.1:${hub.port}`;
	hub.connectUrl = `ws://127.0.0.1:${hub.port}/ws/connect`;
	return hub;
}

describe("browsers", { concurrency: 4 }, () => {
	scenario("see instances", async (stage) => {
		const hub = await startHub(stage);
		const browser = await startBrowser(stage, hub);
		browser.send({ type: "get_clients" });
		assert.deepEqual((await browser.next("client_list")).clients, []);
		const peer = await startPeer(stage, hub, "box", {
			callback_url: null, hostname: "<b>", more: { a: 1 } });
		let { client } = await browser.next("client_update");
		assert.equal(client.id, "box");
		assert.equal(client.status, "idle");
		assert.equal(client.metadata.hostname, "<b>");
		assert.equal(client.metadata.more, undefined);
		peer.send({ type: "status_update", client_id: "box", status: "busy" });
		({ client } = await browser.next("client_update"));
		assert.equal(client.status, "busy");
		assert.equal(client.metadata.status, "busy");
		peer.send({ type: "status_update", client_id: "box", status: "evil" });
		await peer.next("error");
		browser.send({ type: "connect_client", client_id: "box" });
		assert.equal((await browser.next("connect_response")).success, true);
		browser.send({ type: "connect_client", client_id: "nope" });
		assert.equal((await browser.next("connect_response")).success, false);
		const info = await request(`${hub.url}/api/clients/box/ws-info`);
		assert.equal(info.json.status, "busy");
		peer.ws.close(1000);
		assert.equal((await browser.next("client_disconnected")).client_id,
			"box");
	});

	scenario("talk to instances", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		const [a, b] = [await startBrowser(stage, hub),
			await startBrowser(stage, hub)];
		const ask = (browser, id, client = "box") => browser.send({
			type: "forward_to_client", client_id: client, request_id: id,
			action: "act", payload: { n: [1, "é"] } });

		ask(a, "r1");
		assert.deepEqual(await peer.next("user_request"), {
			type: "user_request", request_id: "r1", action: "act",
			payload: { n: [1, "é"] } });
		ask(a, "r1"); // a follow-up
		await peer.next("user_request");
		ask(b, "r1"); // somebody else's
		let got = await b.next("forwarded_response");
		assert.deepEqual([got.complete, got.data.error], [true, true]);

		peer.send({ type: "response_chunk", request_id: "r1",
			data: { big: 2 ** 40, list: [null, true] } });
		assert.deepEqual(await a.next("forwarded_response"), {
			type: "forwarded_response", client_id: "box", request_id: "r1",
			data: { big: 2 ** 40, list: [null, true] }, complete: false });
		peer.send({ type: "error", request_id: "r1", message: "no",
			auth_error: true });
		got = await a.next("forwarded_response");
		assert.deepEqual(got.data,
			{ error: true, auth_error: true, message: "no" });
		peer.send({ type: "response_complete", request_id: "r1",
			data: { code: 1000 } });
		assert.equal((await a.next("forwarded_response")).complete, true);
		peer.send({ type: "response_chunk", request_id: "r1", data: 1 });

		ask(a, "r2", "nope");
		assert.equal((await a.next("forwarded_response")).data.message,
			"Client not found");
		ask(a, "r3");
		await peer.next("user_request");
		peer.ws.terminate();
		got = await a.next("forwarded_response");
		assert.deepEqual([got.request_id, got.complete], ["r3", true]);
		for (const bad of ["{", "{}", { type: "nope" },
			{ type: "forward_to_client", client_id: "box" },
			{ type: "connect_client" }, Buffer.from("x")]) {
			b.send(bad);
			await b.next("error");
		}
	});

	scenario("leave", async (stage) => {
		const hub = await startHub(stage, ["-v"]);
		const peer = await startPeer(stage, hub);
		const browser = await startBrowser(stage, hub);
		browser.send({ type: "forward_to_client", client_id: "box",
			request_id: "r", action: "act" });
		assert.equal((await peer.next("user_request")).payload, null);
		browser.ws.terminate();
		await hub.line("browser closed");
		peer.send({ type: "response_chunk", request_id: "r", data: {} });
		await hub.line("answer to no browser");
	});

	scenario("may have too many requests open", async (stage) => {
		const hub = await startHub(stage);
		await startPeer(stage, hub);
		const browser = await startBrowser(stage, hub);
		for (let i = 0; i <= 1024; i++)
			browser.send({ type: "forward_to_client", client_id: "box",
				request_id: `r${i}`, action: "act" });
		const got = await browser.next("forwarded_response");
		assert.equal(got.request_id, "r1024");
	});
});

describe("who may", { concurrency: 4 }, () => {
	scenario("other origins and names", async (stage) => {
		const hub = await startHub(stage);
		await startPeer(stage, hub);
		const host = `127.0.0.1:${hub.port}`;
		const disconnect = `${hub.url}/clients/box/disconnect`;
		for (const headers of [{ Origin: "http://evil.example" },
			{ Origin: "null" }, { Host: "evil.example" },
			{ Host: "127.evil.example" }, { Host: "localhost.evil" },
			{ Host: "evillocalhost" }]) {
			assert.equal((await post(disconnect, null, headers)).status, 403);
			const peer = new Peer(stage, `${hub.connectUrl}?type=browser`,
				{ headers });
			await assert.rejects(peer.open, { status: 403 });
		}
		assert.equal((await request(`${hub.url}/clients`,
			{ headers: { Host: "evil.example" } })).status, 403);
		for (const name of ["localhost:1", "a.localhost", "[::1]:3", host])
			assert.equal((await request(`${hub.url}/clients`,
				{ headers: { Host: name } })).status, 200);
		await startBrowser(stage, hub, { origin: `http://${host}` });
		assert.equal((await post(disconnect, null,
			{ Origin: `http://${host}` })).status, 200);
	});

	scenario("with a password", async (stage) => {
		const file = join(await stage.directory(), "password");
		await writeFile(file, "p:ss word\n", { mode: 0o600 });
		const hub = await startHub(stage, ["--password-file", file]);
		const basic = (text) => ({ Authorization:
			`Basic ${Buffer.from(text).toString("base64")}` });
		for (const headers of [{}, basic("me:wrong"), basic("p:ss word"),
			basic(""), { Authorization: "Basic !" },
			{ Cookie: "tether_hub=" }, { Cookie: "tether_hub" }])
			assert.equal((await request(`${hub.url}/`, { headers })).status,
				401);
		assert.equal((await request(`${hub.url}/health`)).status, 200);
		const page = await request(`${hub.url}/`,
			{ headers: basic("me:p:ss word") });
		assert.equal(page.status, 200);
		const cookie = page.headers["set-cookie"][0].split(";")[0];

		const peer = await startPeer(stage, hub);
		await startBrowser(stage, hub, { headers: { Cookie: cookie } });
		// The page's own credentials pass, the hub's do not.
		const answered = request(`${hub.url}${hub.base}/`, { headers: {
			Cookie: `a=1; ${cookie};b=2`, Authorization: "Bearer x" } });
		const asked = await peer.next("http_proxy_request");
		const sent = Object.fromEntries(asked.headers);
		assert.equal(sent.cookie, "a=1; b=2");
		assert.equal(sent.authorization, "Bearer x");
		peer.answer(asked, 200, [], "");
		assert.equal((await answered).status, 200);
	});

	scenario("tokens", async (stage) => {
		const file = join(await stage.directory(), "tokens");
		await writeFile(file, "# ours\nao_1_a # first\n\n  \nao_2_b\n",
			{ mode: 0o600 });
		const hub = await startBare(stage, ["--listen", "127.0.0.1:0",
			"--token-file", file]);
		for (const token of ["ao_1_a", "ao_2_b"])
			await new Peer(stage, instanceUrl(hub, "box", token)).open;
		for (const token of ["", "#", "ao_1_", "ao_1_aa"])
			await assert.rejects(
				new Peer(stage, instanceUrl(hub, "x", token)).open,
				{ status: 401 });
		const made = await startBare(stage, ["--listen", "127.0.0.1:0"]);
		const token = (await made.line("tether-hub: token ")).split(" ").pop();
		await new Peer(stage, instanceUrl(made, "box", token)).open;
		const env = await startBare(stage, ["--listen", "127.0.0.1:0"],
			{ TETHER_HUB_TOKEN: "ao_3_c" });
		await new Peer(stage, instanceUrl(env, "box", "ao_3_c")).open;
	});

	scenario("settings that are wrong", async (stage) => {
		const open = join(await stage.directory(), "open");
		await writeFile(open, "secret\n");
		await chmod(open, 0o644);
		for (const [args, line] of [
			[["--nope"], "--nope"], [["x"], "x"], [["--listen"], "--listen"],
			[["--listen", "localhost:1"], "--listen"],
			[["--listen", "127.0.0.1:65536"], "--listen"],
			[["--listen", "0.0.0.0:0"], "--password-file"],
			[["--user", "me"], "--user"], [["--user", "x:me"], "--user"],
			[["--message-max", "1"], "--message-max"],
			[["--token", ""], "--token"], [["--token", "a b"], "--token"],
			[["--token-file", open], open],
			[["--password-file", "/nonexistent"], "/nonexistent"],
		]) {
			const hub = stage.start("tether-hub", programPath("tether-hub"),
				args);
			assert.equal((await hub.ended()).code, 1, args.join(" "));
			assert.ok(hub.lines[0].includes(line), hub.lines[0]);
		}
	});
});

describe("pending instances", { concurrency: 4 }, () => {
	const startPending = async (stage, hub, query = "user=other,Local") => {
		const pending = new Peer(stage,
			`ws://127.0.0.1:${hub.port}/ws/pending?${query}`);
		await pending.open;
		pending.send({ type: "pending_register", pending_id: "pending_1",
			hostname: "laptop", project: "/p", platform: "linux" });
		return pending;
	};

	scenario("are claimed", async (stage) => {
		const file = join(await stage.directory(), "tokens");
		await writeFile(file, "ao_1_a\n", { mode: 0o600 });
		const hub = await startHub(stage, ["--token-file", file]);
		const pending = await startPending(stage, hub);
		assert.equal((await pending.next("pending_registered")).success, true);
		pending.send({ type: "ping", client_id: "x", pending_id: "pending_1" });
		assert.equal((await pending.next("pong")).pending_id, "pending_1");
		pending.send({ type: "ping", client_id: "x" });
		await pending.next("error");

		const [entry] = (await request(`${hub.url}/api/pending`)).json;
		assert.equal(entry.hostname, "laptop");
		assert.deepEqual(entry.allowed_users, ["other", "Local"]);
		const claim = `${hub.url}/api/pending/${entry.pending_id}/claim`;
		assert.equal((await post(claim, null,
			{ Origin: "http://evil.example" })).status, 403);
		assert.equal((await request(claim)).status, 405);
		const answer = await post(claim, { name: "x" });
		assert.deepEqual(answer.json, { success: true, client_id: "laptop" });
		assert.equal((await post(claim)).status, 404);
		assert.deepEqual((await request(`${hub.url}/api/pending`)).json, []);

		const granted = await pending.next("token_granted");
		assert.match(granted.token, /^ao_[0-9a-f]+_[0-9a-f]{64}$/);
		assert.equal(granted.client_id, "laptop");
		await new Peer(stage, instanceUrl(hub, "laptop", granted.token)).open;
		assert.ok((await readFile(file, "utf8")).includes(granted.token));
	});

	scenario("are denied, or are not ours", async (stage) => {
		const hub = await startHub(stage);
		const pending = await startPending(stage, hub, "org=any");
		await pending.next("pending_registered");
		await startPending(stage, hub, "user=other");
		const list = (await request(`${hub.url}/api/pending`)).json;
		assert.equal(list.length, 1);
		assert.equal((await post(`${hub.url}/api/pending/` +
			`${list[0].pending_id}/deny`)).status, 200);
		await pending.next("authorization_denied");
	});

	scenario("as Duratii treats them", async (stage) => {
		const hub = await startHub(stage, ["--duratii"]);
		const pending = await startPending(stage, hub);
		assert.equal((await pending.next("pending_registered")).success,
			false);
		const [entry] = (await request(`${hub.url}/api/pending`)).json;
		const answer = await post(
			`${hub.url}/api/pending/${entry.pending_id}/claim`);
		assert.match(answer.json.client_id, /^client_/);
		await pending.next("token_granted");
	});

	scenario("too many", async (stage) => {
		const hub = await startHub(stage);
		for (let i = 0; i < 64; i++)
			await startPending(stage, hub);
		await assert.rejects(startPending(stage, hub), { status: 503 });
	});
});

describe("the page", () => {
	scenario("stands alone", async (stage) => {
		const hub = await startHub(stage);
		const page = await request(`${hub.url}/`);
		assert.match(page.headers["content-security-policy"],
			/^default-src 'none'; script-src 'self'/);
		for (const [, path] of page.text.matchAll(/(?:href|src)="([^"]+)"/g))
			assert.equal((await request(hub.url + path)).status, 200, path);
		assert.doesNotMatch(page.text, /https?:/);
	});
});

describe("hostile peers", { concurrency: 4 }, () => {
	const raw = (stage, hub, text) => new Promise((resolve) => {
		const socket = net.connect(hub.port, "127.0.0.1");
		let got = "";
		stage.atEnd(() => socket.destroy());
		socket.on("error", () => {});
		socket.on("data", (data) => { got += data.toString("latin1"); });
		socket.on("close", () => resolve(got));
		socket.on("connect", () => socket.end(text));
	});

	scenario("bad HTTP", async (stage) => {
		const hub = await startHub(stage);
		for (const text of ["", "\r\n\r\n", "GET", "GET / HTTP/9.9\r\n\r\n",
			`GET /${"a".repeat(100000)} HTTP/1.1\r\n\r\n`,
			`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(20000)}\r\n`,
			"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
			"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx",
			"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			"GET /clients/a\0b/proxy/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
			"CONNECT a:1 HTTP/1.1\r\n\r\n", "PROPFIND / HTTP/1.1\r\n\r\n",
			"GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
			"GET /clients HTTP/1.0\r\n\r\n"])
			await raw(stage, hub, text);
		assert.equal((await request(`${hub.url}/health`)).status, 200);
	});

	scenario("sockets that break off", async (stage) => {
		const hub = await startHub(stage);
		const head = (path, key) => `GET ${path} HTTP/1.1\r\n` +
			"Host: localhost\r\nUpgrade: websocket\r\n" +
			"Connection: keep-alive, Upgrade\r\n" +
			`Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
		const good = head("/ws/connect?type=browser",
			"dGhlIHNhbXBsZSBub25jZQ==");
		const answer = await raw(stage, hub, good);
		assert.match(answer, /^HTTP\/1.1 101 .*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/s);
		for (let cut = 0; cut < 12; cut++)
			await raw(stage, hub,
				good + "\x81\x85maskabcde".slice(0, cut));
		assert.match(await raw(stage, hub,
			head("/ws/connect?type=browser", "short")), /^HTTP\/1.1 400/);
		await raw(stage, hub, good + "\x81\xff\x7f" + "\xff".repeat(100));
		await raw(stage, hub, good + "\xff".repeat(100));
		assert.equal((await request(`${hub.url}/health`)).status, 200);
	});

	scenario("more connections than descriptors", async (stage) => {
		const hub = await startBare(stage, ["-c", "ulimit -n 24; exec \"$@\"",
			"sh", programPath("tether-hub"), "--listen", "127.0.0.1:0",
			"--token", "x"], {}, "/bin/sh");
		const sockets = Array.from({ length: 40 }, () =>
			net.connect(hub.port, "127.0.0.1").on("error", () => {}));
		stage.atEnd(() => sockets.forEach((socket) => socket.destroy()));
		await hub.line("accept: Too many open files");
		sockets.forEach((socket) => socket.destroy());
		assert.equal((await request(`${hub.url}/health`)).status, 200);
	});

	scenario("browsers that give up on an answer", async (stage) => {
		const hub = await startHub(stage);
		const peer = await startPeer(stage, hub);
		for (let i = 0; i < 20; i++) {
			const socket = net.connect(hub.port, "127.0.0.1");
			socket.on("error", () => {});
			socket.write(`GET ${hub.base}/ HTTP/1.1\r\n` +
				"Host: localhost\r\n\r\n");
			const asked = await peer.next("http_proxy_request");
			socket.destroy();
			peer.answer(asked, 200, [], "x".repeat(i * 100000));
		}
		peer.send({ type: "ping", client_id: "box" });
		await peer.next("pong");
	});
});
