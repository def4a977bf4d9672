// Another upstream, by a reload: nothing that is under way gets lost.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline, until } from "./lib/time.mjs";
import { echo, makeHandle, Page, startSocketUpstream } from "./lib/tunnel.mjs";
import { freePort, startUpstream } from "./lib/upstream.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const OCTOCAT = identity(583231, "octocat");
const say = (text) => (req, res) => {
	res.setHeader("Content-Type", "text/plain");
	res.end(text);
};
const at = (port) => `upstream { port ${port} }\n`;

// An instance whose upstream stands in its configuration.
async function start(stage, upstream, text = at(upstream.port)) {
	const conf = await startConf(stage, text);
	const instance = await startInstance(stage, { args: conf.args,
		upstream: () => upstream, env: { PORT: undefined } });
	return { ...instance, conf };
}

describe("another upstream", { concurrency: 2 }, () => {
	// A process that is confined to one port can not reach another one.
	for (const sandbox of ["full", "none"])
		scenario(`under load, there and back: sandbox ${sandbox}`, async (stage) => {
			const at = (port) =>
				`sandbox ${sandbox}\nupstream { port ${port} }\n`;
			const name = (text) => (req, res) => setTimeout(
				() => say(text)(req, res), req.url === "/slow" ? 1500 : 0);
			const one = await startUpstream(stage, name("one"));
			const two = await startUpstream(stage, name("two"));
			const { conf, connection, tetherd } =
				await start(stage, one, at(one.port));
			const said = { one: 0, two: 0 };
			let going = true;
			const load = async () => {
				while (going) {
					const answer = await connection.request(
						{ path: "/", headers: OCTOCAT });
					assert.equal(answer.status, 200, answer.body);
					said[answer.body]++;
				}
			};
			const loads = Array.from({ length: 16 }, load);
			const slow = connection.request({ path: "/slow" });
			await until(() => said.one > 50, "no answers");

			await conf.change(at(two.port), tetherd);
			await until(() => said.two > 50, "no answers");
			assert.equal((await slow).body, "one");
			await conf.change(at(one.port), tetherd);
			const before = said.one;
			await until(() => said.one > before + 50, "no answers");
			for (let i = 0; i < 10; i++)
				await conf.change(at(i % 2 ? one.port : two.port), tetherd);
			going = false;
			await Promise.all(loads);
			assert.equal((await connection.request({ path: "/" })).body, "one");
			if (sandbox === "none")
				assert.equal(tetherd.all("proxyd: started").length, 1);
			for (const other of ["authd", "connector"])
				assert.equal(tetherd.all(`${other}: started`).length, 1);
			assert.equal(tetherd.all("registered with").length, 1);
			assert.deepEqual(tetherd.all("lost child"), []);
		});

	scenario("those that come while the old one is busy", async (stage) => {
		const held = [];
		const one = await startUpstream(stage, (req, res) =>
			req.url === "/held" ? held.push(res) : say("one")(req, res));
		const two = await startUpstream(stage, say("two"));
		const { conf, connection, tetherd } = await start(stage, one);
		const ask = (path) => connection.request({ path, method: "POST",
			body: "x".repeat(100_000) });
		const slow = ask("/held");

		await until(() => held.length > 0, "no request");
		const changed = conf.change(at(two.port), tetherd);
		changed.catch(() => {});
		await tetherd.line("proxyd: its settings changed");
		const others = Array.from({ length: 100 }, () => ask("/"));
		await pause(300);
		const before = two.requests.length;
		say("held")(null, held[0]);
		assert.equal((await slow).body, "held");
		await changed;
		assert.equal(before, 0);
		for (const answer of await Promise.all(others))
			assert.equal(answer.status, 200, answer.body);
		assert.equal((await ask("/")).body, "two");
	});

	scenario("one that keeps silent is not waited for", async (stage) => {
		const one = await startUpstream(stage, () => {});
		const two = await startUpstream(stage, say("two"));
		const { conf, connection, tetherd } = await start(stage, one);
		const slow = connection.request({ path: "/" });

		await until(() => one.requests.length > 0, "no request");
		await conf.change(at(two.port), tetherd);
		assert.equal((await slow).status, 502);
		assert.equal((await connection.request({ path: "/" })).body, "two");
		assert.deepEqual(tetherd.all("in time; killed"), []);
	});

	scenario("the old one may be gone by then", async (stage) => {
		const one = await startUpstream(stage, say("one"));
		const { conf, connection, tetherd } = await start(stage, one);
		const ask = () => connection.request({ path: "/" });

		assert.equal((await ask()).body, "one");
		await one.close();
		assert.equal((await ask()).status, 502);
		const two = await startUpstream(stage, say("two"));
		await conf.change(at(two.port), tetherd);
		assert.equal((await ask()).body, "two");
		// What nobody answers at is no reason to refuse it.
		await conf.change(at(await freePort()), tetherd);
		assert.equal((await ask()).status, 502);
	});

	scenario("tunnels are told to come back", async (stage) => {
		const handle = (req, res) => {
			res.writeHead(200, { "Content-Type": "text/event-stream" });
			res.write("data: x\n\n");
		};
		const one = await startSocketUpstream(stage,
			{ connected: echo, handle });
		const two = await startSocketUpstream(stage,
			{ connected: echo, handle });
		const instance = await start(stage, one);
		const { conf, connection, tetherd } = instance;
		const page = new Page(connection);
		page.handle = await makeHandle(instance);
		const tunnel = page.open("/ws"), stream = page.stream("/events");
		assert.equal((await tunnel.opened).t, "open");
		assert.equal((await stream.opened).t, "head");

		// A change of something else is none of their business.
		await conf.change(`${at(one.port)}limits { tunnels 5 }\n`, tetherd);
		await tunnel.send("a");
		assert.equal(await tunnel.messages.next(), "a");

		await conf.change(at(two.port), tetherd);
		const closed = await deadline(tunnel.closed, 5000, "not closed");
		assert.deepEqual([closed.code, closed.clean], [1012, true]);
		const ended = await deadline(stream.closed, 5000, "no end");
		assert.equal(ended.error, "503 the web app moved");
		const again = page.open("/ws");
		assert.equal((await again.opened).t, "open");
		await again.send("b");
		assert.equal(await again.messages.next(), "b");
		assert.equal(two.open, 1);
		await until(() => one.open === 0, "the old one was not told");
	});

	scenario("to an IPv6 address", async (stage) => {
		const one = await startSocketUpstream(stage, { connected: echo });
		const two = await startSocketUpstream(stage, { address: "::1",
			connected: echo,
			handle: (req, res) => say(req.headers.host)(req, res) });
		const instance = await start(stage, one);
		const page = new Page(instance.connection);
		page.handle = await makeHandle(instance);

		await instance.conf.change(
			`upstream {\n address ::1\n port ${two.port}\n}\n`,
			instance.tetherd);
		const answer = await instance.connection.request({ path: "/" });
		assert.equal(answer.body, `[::1]:${two.port}`);
		const tunnel = page.open("/ws");
		assert.equal((await tunnel.opened).t, "open");
		await tunnel.send("six");
		assert.equal(await tunnel.messages.next(), "six");
		assert.equal(two.upgrades[0].headers.host, `[::1]:${two.port}`);
	});

	scenario("a tunnel that is opening at the old one", async (stage) => {
		const one = await startSocketUpstream(stage, { admit: () => 0 });
		const two = await startSocketUpstream(stage, { connected: echo });
		const instance = await start(stage, one);
		const { conf, connection, tetherd } = instance;
		const page = new Page(connection);
		page.handle = await makeHandle(instance);
		const tunnel = page.open("/ws");
		await until(() => one.upgrades.length > 0, "no upgrade");
		await conf.change(at(two.port), tetherd);
		await one.close();
		const closed = await deadline(tunnel.closed, 5000, "not refused");
		assert.equal(closed.code, 1006);
		const again = page.open("/ws");
		assert.equal((await again.opened).t, "open");
		assert.equal(two.upgrades.length, 1);
	});
});
