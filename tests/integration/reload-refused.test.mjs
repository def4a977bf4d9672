// Reloads while requests come without a pause: what is refused changes
// nothing, in no process, and several reloads come one after the other.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { LEAVING } from "./lib/load.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { account, CHILDREN, DONE, FAILED, isOld, lost, others, registered,
	start } from "./lib/site.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";

const READ = "reload: configuration read";

// Killed one after the other, each comes back with what was there at first,
// whatever the files say by now; the load is over.  authd comes first: from
// it the others have the secrets.
async function killed(all) {
	const { site, tetherd, load, here } = all;
	for (const name of ["authd", "proxyd", "connector"]) {
		await site.kill(name);
		await site.ready();
		if (name === "connector") {
			const next = await registered(here);
			assert.equal(next.register.client_id, "box");
			assert.equal(next.register.user_token, "ao_1_first");
			load.use(next);
			all.connection = next;
		}
		await isOld(all);
	}
	assert.deepEqual(tetherd.all(DONE), []);
}

describe("reload under load: refused", { concurrency: 2 }, () => {
	scenario("what is wrong with files", async (stage, t) => {
		const all = await start(stage);
		const { site, load, talks } = all;
		const { pids, settings: { token, secret } } = site;
		const conf = site.path("tetherd.conf");
		const files = { "token": "ao_2_second\n", "secret": "second\n" };

		const gone = site.path("gone"), ca = site.path("ca.pem");
		const secretFile = (what, path, why) =>
			`${conf}:${what}: ${path}: ${why}`;

		const before = site.settings;

		// All the rest is changed, too, in each of them.
		await eachRow([
			["broken", { more: "limits2 { }\nupstraem\n" +
				"log { to nowhere; }\naudit {\n\treqests yes\n" +
				"\trequests maybe\n}", limits: ["body 1T"] }, {}, [
				`${conf}:16: body: "1T" is not a size from 64K to 1G, ` +
					"like 32M",
				`${conf}:21: unknown block "limits2"; ` +
					'did you mean "limits"?',
				`${conf}:22: unknown word "upstraem"`,
				`${conf}:23: log: given twice, first in ${conf}:18`,
				`${conf}:23: syntax error near ";"`,
				`${conf}:25: unknown word "reqests" in audit; ` +
					'did you mean "requests"?',
				`${conf}:26: requests: "maybe" is neither yes nor no`]],
			["another include is gone", { more: `include "${gone}"` }, {},
				[`${conf}:21: include "${gone}": ` +
					"No such file or directory"]],
			["no include", {}, { "people.conf": null },
				[`${conf}:20: include "people.conf": ` +
					"No such file or directory"]],
			["others may write it", {}, { "people.conf": ["", 0o666] },
				[`${conf}:20: include "people.conf": ` +
					"writable by group or others (mode 0666)"]],
			["no secrets", {}, { token: null, secret: null }, [
				secretFile("5: token file", token,
					"No such file or directory"),
				secretFile("13: jwt secret file", secret,
					"No such file or directory")]],
			["empty secrets", {}, { token: "", secret: "" }, [
				secretFile("5: token file", token, "empty"),
				secretFile("13: jwt secret file", secret, "empty")]],
			["open secrets", {}, { token: ["ao_2_second", 0o644],
				secret: ["second", 0o604] }, [
				secretFile("5: token file", token,
					"readable by others (mode 0644)"),
				secretFile("13: jwt secret file", secret,
					"readable by others (mode 0604)")]],
			["authd: a token with a space", {},
				{ token: "ao_2_second x\n" },
				["reload: authd refuses: token file: " + token +
					": contains characters that have no place in a token"]],
			["authd: no database", { database: gone }, {},
				["reload: authd refuses: user database " +
					`${gone}: does not exist (yet)`]],
			["connector: no certificates", { tls: true,
				url: "wss://localhost:1/ws/connect" },
			{ "ca.pem": "-----BEGIN NOTHING-----\n" },
			[`reload: connector refuses: ca file: ${ca}: bad end line`]],
			["not without a restart", { more: "sandbox none" }, {},
				["sandbox: cannot be changed by a reload; " +
					"restart tetherd"]],
		], async ([, settings, changed, reasons]) => {
			site.settings = { ...before };
			await site.set({ ...others(all), ...settings });
			for (const [file, text] of Object.entries({ ...files,
				...changed }))
				await site.write(file, ...[text].flat());
			await site.refused(reasons);
			await isOld(all);
		});
		await load.more();
		for (const talk of talks)
			await talk.more();
		assert.deepEqual(site.pids, pids);
		const sum = await account(t, all);
		assert.equal(sum.other, 11);
		await killed(all);
	});

	scenario("a process that does not answer", async (stage, t) => {
		const all = await start(stage);
		const { site, load, tetherd, talks } = all;
		const { pids } = site;
		const go = site.hold("authd");
		const begun = performance.now();

		await site.set({ ...others(all) });
		await site.write("secret", "second\n");
		await site.refused(["reload: authd did not answer within 10 s"]);
		assert.ok(performance.now() - begun > 9900, "too early");
		go();
		await isOld(all);
		assert.equal(tetherd.all("reload: ").filter((line) =>
			line.includes("answer")).length, 1);

		const { url } = all.here;
		await site.change({ url, client: "box", users: "ada eve",
			limits: [] });
		const eve = await load.ask("small", "eve");
		assert.deepEqual([eve.said.at, eve.said.secret],
			["two", "second"]);
		assert.equal((await load.ask("small", "bob")).status, 403);
		for (const talk of talks)
			await talk.moves();
		// proxyd is another one, as its sandbox knows one port.
		for (const i of [0, 2])
			assert.equal(site.pids[i], pids[i]);
		await account(t, all, ({ login, status }) =>
			login === "bob" && status === 403);
	});

	for (const name of CHILDREN)
		scenario(`${name} dies while it is staged`, async (stage, t) => {
			const all = await start(stage);
			const { site, load, tetherd, talks } = all;
			const held = name === "authd" ? "proxyd" : "authd";
			let from;

			await tetherctl(tetherd, "log", "trace", "tetherd");
			if (name === "connector")
				await account(t, all);
			const go = site.hold(held);
			await site.set(others(all));
			await site.write("token", "ao_2_second\n");
			await site.write("secret", "second\n");
			await site.refused([`reload: ${name} died`], async () => {
				await tetherd.line(`< MSG_CONF_ACCEPTED from ${name}`);
				from = performance.now();
				await site.kill(name);
			});
			go();
			await site.ready();
			const to = performance.now();
			if (name === "connector")
				load.use(all.connection = await registered(all.here));
			else
				await load.more();
			await isOld(all);
			if (name === "proxyd")
				for (const talk of talks)
					talk.leave();
			if (name !== "connector")
				await account(t, all, name === "proxyd"
					? lost(from, to) : undefined);
			await killed(all);
		});
});

describe("reload under load: several", { concurrency: 2 }, () => {
	const requests = (n) => ({ limits: [`requests ${n}`] });

	scenario("two at once, good and bad", async (stage, t) => {
		const all = await start(stage);
		const { site, tetherd } = all;
		const reload = () => tetherctl(tetherd, "reload");
		const from = tetherd.lines.length;

		await tetherctl(tetherd, "log", "verbose", "tetherd");
		const go = site.hold("authd");
		await site.set(requests(100));
		const first = reload();
		await tetherd.line(READ, { from });
		await site.set(requests(5000));
		const more = [reload(), reload()];
		await until(() => tetherd.all("reload asked for").length === 3,
			"nobody asked");
		go();
		// Each is told of what was there when he asked, or later.
		const { code, stderr } = await first;
		assert.deepEqual([code, stderr], [0, ""]);
		for (const answer of await Promise.all(more)) {
			assert.equal(answer.code, 4);
			assert.match(answer.stderr,
				/:16: requests: "5000" is not a number from 1 to 4096/);
		}
		assert.match(await site.config(), /requests 100 /);

		await site.set(requests(200));
		for (const answer of await Promise.all([reload(), reload()]))
			assert.deepEqual([answer.code, answer.stderr], [0, ""]);
		assert.match(await site.config(), /requests 200 /);
		await account(t, all);
	});

	scenario("ten at once, and again", async (stage, t) => {
		const all = await start(stage);
		const { site, load, tetherd } = all;
		const asked = [];

		for (let n = 201; n <= 220; n++) {
			await site.set(requests(n));
			tetherd.signal("SIGHUP");
			asked.push(tetherctl(tetherd, "reload").then(
				async ({ code, stderr }) => {
					assert.deepEqual([code, stderr], [0, ""]);
					const now = /requests (\d+)/
						.exec(await site.config())[1];
					assert.ok(Number(now) >= n, `${now}, not ${n}`);
				}));
			if (n % 5 === 0)
				await Promise.all(asked);
		}
		await load.more();
		assert.deepEqual(tetherd.all(FAILED), []);
		await account(t, all);
	});

	scenario("right after the start", async (stage, t) => {
		let asked;
		const all = await start(stage, {}, {
			early: async (site) => {
				await site.tetherd.line("authd: started");
				const go = site.hold("authd");
				await site.tetherd.line("connector: started");
				await site.set({ client: "early", users: "ada bob eve" });
				asked = Promise.all(Array.from({ length: 3 }, () => {
					site.tetherd.signal("SIGHUP");
					return tetherctl(site.tetherd, "reload");
				}));
				await site.tetherd.line("reload asked for");
				go();
			},
		});
		const { load, tetherd, here } = all;

		// Nothing may have come yet when the connection is replaced.
		all.mayCut = true;
		for (const { code, stderr } of await asked)
			assert.deepEqual([code, stderr], [0, ""]);
		while (load.connection.register.client_id !== "early")
			load.use(await registered(here));
		await load.more();
		assert.equal((await load.ask("small", "eve")).status, 200);
		assert.deepEqual(tetherd.all(FAILED), []);
		for (const name of CHILDREN)
			assert.equal(tetherd.all(`${name}: started`).length, 1);
		await account(t, all, ({ status, said }) =>
			status === 503 && LEAVING.test(said.error));
	});

	scenario("the end comes first", async (stage, t) => {
		const all = await start(stage);
		const { site, tetherd, talks } = all;
		const go = site.hold("authd");

		await tetherctl(tetherd, "log", "verbose", "tetherd");
		await site.set(others(all));
		const asked = tetherctl(tetherd, "reload");
		await tetherd.line(READ);
		const stopped = performance.now();
		tetherd.signal("SIGTERM");
		await tetherd.line("reload: tetherd is stopping");
		tetherd.signal("SIGHUP");
		go();
		const { code, stderr } = await asked;
		assert.deepEqual([code, stderr], [4,
			`reload: tetherd is stopping\ntetherctl: ${FAILED}\n`]);
		assert.equal((await tetherd.ended()).code, 0);
		assert.deepEqual(tetherd.all(DONE), []);
		for (const talk of talks)
			talk.leave();
		await account(t, all, ({ status, answered, said }) =>
			status === 503 && answered > stopped && LEAVING.test(said.error));
		assert.deepEqual(all.there.upgrades, []);
	});
});
