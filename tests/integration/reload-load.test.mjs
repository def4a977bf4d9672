// Reloads while requests come without a pause: changes that are taken over.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe } from "node:test";

import { createAuthority } from "./lib/certificates.mjs";
import { createUserDatabase } from "./lib/database.mjs";
import { LEAVING, Talk } from "./lib/load.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { account, DONE, lost, registered, start, stays } from "./lib/site.mjs";
import { deadline, until } from "./lib/time.mjs";

const leaves = async ({ closed }) =>
	assert.equal((await deadline(closed, 15000, "stays")).code, 1000);

describe("reload under load: taken over", { concurrency: 2 }, () => {
	scenario("in place: people, paths, limits, secret, database, log",
		async (stage, t) => {
			const all = await start(stage, { users: "ada bob eve" });
			const { site, load, talks, tetherd, here } = all;
			const [connector, proxyd] = site.pids;
			const ask = (login, kind = "small") => load.ask(kind, login);
			const status = async (...what) => (await ask(...what)).status;

			assert.equal(await status("eve"), 200);
			await site.change({ users: "ada bob" });
			assert.equal(await status("eve"), 403);
			assert.equal(await status("bob"), 200);

			await site.change({ deny: "/other" });
			assert.equal(await status("bob", "other"), 403);
			await site.change({ deny: "", limits: ["tunnels 2"] });
			assert.equal(await status("bob", "other"), 200);
			await assert.rejects(Talk.open(load.connection, all.handle,
				"/talk/no", all.one), /503 too many tunnels/);

			const from = load.records.length;
			await site.change({ limits: ["request time 500ms"] });
			await until(() => load.records.some((r) => r.status === 504),
				"all have time");
			await site.change({ limits: ["requests 1"] });
			await until(() => load.records.some((r) => r.status === 503),
				"none is too many");
			await site.change({ limits: [] });
			const to = load.records.length;

			await site.write("secret", "second\n");
			await site.change();
			assert.equal((await ask("ada")).said.secret, "second");
			await site.change({ level: "verbose" });
			const shown = await tetherctl(tetherd, "-j", "sh", "proc");
			assert.deepEqual(JSON.parse(shown.stdout)
				.map((row) => row.log_level), Array(5).fill("verbose"));

			const database = site.path("other.db");
			await createUserDatabase(database);
			await site.change({ database });
			// The next one waits for the new authd.
			await site.change({ users: "ada bob eve" });
			assert.equal(await status("eve"), 200);
			await load.more();
			for (const talk of talks)
				await talk.more();
			// A limit is no loss.
			await account(t, all, ({ n, kind, status: s }) =>
				n >= from && n < to &&
				(s === 503 || (s === 504 && kind === "slow")));
				assert.deepEqual(site.pids.slice(0, 2), [connector, proxyd]);
			assert.equal(tetherd.all("authd: started").length, 2);
			stays(tetherd);
			assert.equal(here.upgrades.length, 1);
		});

	scenario("the port of the web app, there and back", async (stage, t) => {
		const all = await start(stage);
		const { site, load, talks, tetherd, one, two, handle, connection } =
			all;
		const { pids } = site;
		let from = 0;

		for (const next of [two, one, two]) {
			const slow = load.records.slice(from).filter((record) =>
				record.kind === "slow" && record.status === undefined);
			const { at } = (await load.ask()).said;
			await site.change({ port: next.port });
			from = load.records.length;
			await load.more();
			await until(() => slow.every((record) => record.status),
				"no slow answers");
			for (const { said } of slow)
				assert.equal(said.at, at);
			for (const { said, n } of load.records.slice(from))
				assert.equal(said?.at ?? next.name, next.name, n);
			for (const talk of talks.filter(({ left }) => !left))
				await talk.moves();
			talks.push(await Talk.open(connection, handle,
				`/talk/${next.name}`, next));
			await talks.at(-1).more();
		}
		stays(tetherd);
		assert.equal((await account(t, all)).good, load.records.length);
		// proxyd is another one, as its sandbox knows one port.
		for (const i of [0, 2])
			assert.equal(site.pids[i], pids[i]);
	});

	scenario("URL, token and name: each by another connection",
		async (stage, t) => {
			const all = await start(stage);
			const { site, load, talks, here, there, handle, one } = all;
			const { pids } = site;
			let from = 0;
			// The last of those changes, which follow at once, counts.
			const change = async (to, ...changes) => {
				const { connection } = load;
				const long = load.ask("long", "ada");
				const talking = talks.filter(({ left }) => !left);
				for (const settings of changes)
					await site.change(settings);
				from = load.records.length;
				const next = await registered(to);
				await leaves(connection);
				assert.equal((await long).status, 200);
				assert.ok(load.records.slice(from).filter((r) =>
					r.status === 200).length > 50, "not served on");
				load.use(next);
				await load.more();
				for (const talk of talking) {
					talk.leave();
					assert.ok(talk.down > 20, `${talk.down} messages`);
				}
				talks.push(await Talk.open(next, handle,
					`/talk/${from}`, one));
				return next.register;
			};

			await change(there, { url: there.url });
			await site.write("token", "ao_2_second\n");
			const { user_token } = await change(there, {});
			assert.equal(user_token, "ao_2_second");
			load.stubborn = true;
			const { client_id } = await change(there,
				{ client: "another", users: "bob ada" }, { client: "other" });
			assert.equal(client_id, "other");
			const sum = await account(t, all, ({ status, said, connection }) =>
				status === 503 && LEAVING.test(said.error) &&
				connection !== load.connection);
			assert.ok(sum.good > 500);
			assert.equal(here.upgrades.length, 1);
			assert.equal(there.upgrades.length, 3);
			assert.deepEqual(site.pids, pids);
		});

	scenario("whom to believe", async (stage, t) => {
		const [ours, theirs] = await Promise.all(["good", "good"].map(
			async (name) => {
				const made =
					await createAuthority(await stage.directory());
				return { tls: await made.issue(name),
					pem: await readFile(made.caFile, "utf8") };
			}));
		const all = await start(stage, { tls: true }, {
			options: { tls: ours.tls },
			files: { "ca.pem": ours.pem } });
		const { site, load, talks, tetherd, here } = all;
		const { pids } = site;
		const next = async (text) => {
			const { connection } = load;
			await site.write("ca.pem", text);
			await site.change();
			load.use(await registered(here));
			await leaves(connection);
			await load.more();
			for (const talk of talks)
				talk.leave();
		};

		// The same again is no change.
		await site.write("ca.pem", ours.pem);
		await site.change();
		await load.more();
		stays(tetherd);
		await next(theirs.pem + ours.pem);
		assert.deepEqual(site.pids, pids);
		await account(t, all, ({ status, said }) =>
			status === 503 && LEAVING.test(said.error));

		// What is refused is nowhere, not even in a new connector.
		await site.write("ca.pem", "-----BEGIN NOTHING-----\n");
		await site.refused([/^reload: connector refuses: ca file: .*: /]);
		await site.kill("connector");
		await site.ready();
		load.use(await registered(here));
		assert.equal((await load.ask()).status, 200);

		// With theirs alone there is no connection.
		await site.write("ca.pem", theirs.pem);
		await site.change();
		await leaves(load.connection);
		await tetherd.line(/disconnected: .*certificate/);
		await site.write("ca.pem", ours.pem);
		await site.change();
		load.use(await registered(here));
		assert.equal((await load.ask()).status, 200);
		assert.equal(tetherd.all("connector: started").length, 2);
	});

	scenario("over when all have it, also one that stands still or dies",
		async (stage, t) => {
			const all = await start(stage);
			const { site, load, talks, tetherd, one, two } = all;
			// Stopped between its word and the switch.
			const hold = async (settings) => {
				const from = tetherd.lines.length;
				const go = site.hold("authd");
				await site.set(settings);
				const asked = tetherctl(tetherd, "reload");
				await tetherd.line("< MSG_CONF_ACCEPTED from proxyd",
					{ from });
				const goOn = site.hold("proxyd");
				go();
				await tetherd.line("> MSG_SHUTDOWN to proxyd",
					{ from });
				assert.ok((await site.config())
					.includes(`port ${settings.port} `));
				assert.deepEqual(tetherd.lines.slice(from)
					.filter((line) => line.includes(DONE)), []);
				return { asked, goOn };
			};
			const isDone = async (asked, { name }) => {
				const { code, stderr } = await asked;
				assert.deepEqual([code, stderr], [0, ""]);
				for (const { said } of await Promise.all(["ada", "bob"]
					.map((login) => load.ask("small", login))))
					assert.equal(said.at, name);
			};

			await tetherctl(tetherd, "log", "trace", "tetherd");
			for (const next of [two, one]) {
				const { asked, goOn } = await hold({ port: next.port });
				goOn();
				await isDone(asked, next);
				await load.more();
			}
			const { asked } = await hold({ port: two.port });
			const from = performance.now();
			process.kill(site.pids[1], "SIGKILL");
			await asked;
			await site.ready();
			const to = performance.now();
			await isDone(asked, two);
			await load.more();
			for (const talk of talks)
				talk.leave();
			await account(t, all, lost(from, to));
			assert.equal(tetherd.all("proxyd: started").length, 4);
		});
});
