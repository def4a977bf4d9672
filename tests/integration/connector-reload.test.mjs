// Settings of the connection that change while requests are under way.

import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe } from "node:test";

import { createAuthority } from "./lib/certificates.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";
import { makeHandle, Page, startSocketUpstream } from "./lib/tunnel.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// An upstream that answers after as many milliseconds as the query says.
const handle = (req, res) => setTimeout(() => res.end("late"),
	Number(new URL(req.url, "http://a").searchParams.get("ms") ?? 0));

const slow = (connection, ms) =>
	connection.request({ path: "/slow", query: `ms=${ms}` });

const lines = (settings) => Object.entries(settings)
	.map(([name, value]) => `${name}=${value}\n`).join("");

// An instance whose settings stand in a file; change() writes and reloads.
async function start(stage, settings = {}, options = {}) {
	const file = join(await stage.directory(), "env");
	const orchestrator =
		await Orchestrator.start(stage, options.orchestrator);
	const upstream = await startSocketUpstream(stage, { handle });
	const all = {
		ORCHESTRATOR_MODE: "client",
		ORCHESTRATOR_URL: orchestrator.url,
		ORCHESTRATOR_CLIENT_ID: "first",
		ORCHESTRATOR_TOKEN: "ao_1_first",
		...settings,
	};

	await writeFile(file, lines(all), { mode: 0o600 });
	const tetherd = await startTetherd(stage, {
		args: ["-d", "-e", file],
		env: {
			PORT: String(upstream.port),
			...Object.fromEntries(
				Object.keys(all).map((name) => [name, undefined])),
		},
	});
	const connection = options.refused
		? await orchestrator.refused.next()
		: await orchestrator.registered();
	if (!options.refused)
		await tetherd.registered();
	const change = async (more) => {
		Object.assign(all, more);
		const from = tetherd.lines.length;
		await writeFile(file, lines(all), { mode: 0o600 });
		tetherd.signal("SIGHUP");
		return tetherd.line(/settings reloaded|reload failed/, { from });
	};
	return { orchestrator, tetherd, connection, change };
}

const CHANGES = {
	"client id": { ORCHESTRATOR_CLIENT_ID: "second" },
	"token": { ORCHESTRATOR_TOKEN: "ao_1_second" },
	"callback url": { ORCHESTRATOR_CALLBACK_URL: "http://127.0.0.1:1/" },
};

describe("a reload of the connector", { concurrency: 4 }, () => {
	for (const [name, settings] of Object.entries(CHANGES))
		scenario(`another ${name}`, async (stage) => {
			const { orchestrator, connection, tetherd, change } =
				await start(stage);
			const pid = tetherd.childPid("connector");
			const answers = [100, 500, 900].map((ms) =>
				slow(connection, ms));

			await change(settings);
			// As long as there are others, more are welcome.
			answers.push(slow(connection, 1));
			for (const answer of await Promise.all(answers))
				assert.equal(answer.status, 200);
			assert.equal((await connection.closed).code, 1000);
			const next = await orchestrator.registered();
			assert.equal(next.register.client_id,
				settings.ORCHESTRATOR_CLIENT_ID ?? "first");
			assert.equal(next.register.user_token,
				settings.ORCHESTRATOR_TOKEN ?? "ao_1_first");
			assert.equal(next.register.metadata.callback_url,
				settings.ORCHESTRATOR_CALLBACK_URL ?? null);
			assert.equal((await slow(next, 1)).status, 200);
			assert.equal(tetherd.childPid("connector"), pid);
			assert.equal(tetherd.all("next attempt").length, 0);
		});

	scenario("another orchestrator, with a slow answer", async (stage) => {
		const other = await Orchestrator.start(stage);
		const { connection, change } = await start(stage);
		const answer = slow(connection, 4000);

		await change({ ORCHESTRATOR_URL: other.url });
		await sleep(2500);
		assert.equal((await slow(connection, 1)).status, 200);
		assert.equal(other.upgrades.length, 0);
		assert.equal((await answer).status, 200);
		assert.equal((await connection.closed).code, 1000);
		assert.equal((await slow(await other.registered(), 1)).status, 200);
	});

	// Whatever came before the close frame went is answered: only the last
	// ones can have met it on the way.  Where there are pauses nobody is
	// refused, either.
	for (const [pause, most] of [[150, 1], [5, 3]])
		scenario(`a request each ${pause} ms`, async (stage) => {
			const { connection, orchestrator, change } =
				await start(stage);
			const sent = [];
			let closed = false;
			connection.closed.then(() => {
				closed = true;
			});
			const ask = async () => {
				for (let i = 0; !closed; i++) {
					if (connection.ws.readyState !== 1)
						break;
					const entry = { status: null };
					sent.push(entry);
					connection.request({ query: `ms=${i % 7 * 10}` })
						.then(({ status }) => {
							entry.status = status;
						}, () => {});
					await sleep(pause);
				}
			};
			const asking = ask();
			await sleep(300);
			await change({ ORCHESTRATOR_CLIENT_ID: "second" });
			await asking;
			await connection.closed;
			const lost = sent.filter(({ status }) => status === null);
			assert.ok(lost.length <= most,
				`${lost.length} of ${sent.length} lost`);
			assert.deepEqual(lost, sent.slice(sent.length - lost.length));
			const answers = most === 1 ? [200, null] : [200, 503, null];
			assert.ok(sent.every(({ status }) =>
				answers.includes(status)));
			const next = await orchestrator.registered();
			assert.equal((await slow(next, 1)).status, 200);
		});

	scenario("tokens that are refused are not waited with",
		async (stage) => {
			const { orchestrator, tetherd, change } = await start(stage, {},
				{ refused: true, orchestrator: {
					admit: (req) => req.url.includes("good") ||
						"401 Unauthorized" } });
			const refusals = () => tetherd.all("HTTP 401").length;

			await until(() => refusals() === 1, "a refusal");
			await change({ ORCHESTRATOR_TOKEN: "ao_1_bad" });
			await until(() => refusals() === 2, "another refusal");
			await change({ ORCHESTRATOR_TOKEN: "ao_1_good" });
			await orchestrator.registered();
		});

	scenario("intervals leave the connection alone", async (stage) => {
		const { connection, tetherd, change } = await start(stage);
		const answer = slow(connection, 1000);

		await change({ ORCHESTRATOR_HEARTBEAT_INTERVAL: 50,
			ORCHESTRATOR_RECONNECT_INTERVAL: 70 });
		await connection.receive("ping");
		await connection.receive("ping");
		assert.equal((await answer).status, 200);
		assert.equal(tetherd.all("registered with").length, 1);
	});

	scenario("tunnels do not hold it up, and have their end",
		async (stage) => {
			const { connection, change, orchestrator } =
				await start(stage);
			const page = new Page(connection);
			page.handle = await makeHandle({ connection });
			const tunnel = page.open("/ws");
			await tunnel.opened;

			await change({ ORCHESTRATOR_CLIENT_ID: "second" });
			await tunnel.closed;
			assert.equal((await connection.closed).code, 1000);
			await orchestrator.registered();
		});

	scenario("client to standalone and back", async (stage) => {
		const { connection, orchestrator, tetherd, change } =
			await start(stage);
		const answer = slow(connection, 500);

		await change({ ORCHESTRATOR_MODE: "standalone" });
		assert.equal((await answer).status, 200);
		assert.equal((await connection.closed).code, 1000);
		await tetherd.line("standalone: not connecting");
		await change({ ORCHESTRATOR_MODE: "client" });
		assert.equal((await slow(await orchestrator.registered(), 1)).status,
			200);
	});

	scenario("no certificates at the start", async (stage) => {
		const garbage = join(await stage.directory(), "garbage.pem");
		await writeFile(garbage, "no certificate\n");
		const tetherd = await startTetherd(stage, { env: {
			ORCHESTRATOR_URL: "wss://127.0.0.1:1/ws/connect",
			SSL_CERT_FILE: garbage,
		} });

		await tetherd.line(`ca file: ${garbage}: no certificates in it`);
		assert.equal((await tetherd.ended()).code, 1);
	});

	scenario("certificates", async (stage) => {
		const [ours, other] = [
			await createAuthority(await stage.directory()),
			await createAuthority(await stage.directory()),
		];
		// In a folder that was named at the start: no other is in reach.
		const beside = (name) => join(dirname(ours.caFile), name);
		const garbage = beside("garbage.pem"), others = beside("other.pem");
		await writeFile(garbage, "no certificate\n");
		await copyFile(other.caFile, others);
		const { connection, orchestrator, tetherd, change } =
			await start(stage, { SSL_CERT_FILE: ours.caFile },
				{ orchestrator: { tls: await ours.issue("good") } });

		assert.match(await change({ SSL_CERT_FILE: garbage }),
			/reload failed/);
		assert.equal(tetherd.all(
			`ca file: ${garbage}: no certificates in it`).length, 1);
		assert.equal((await slow(connection, 1)).status, 200);
		assert.match(await change({ SSL_CERT_FILE: others }),
			/settings reloaded/);
		assert.equal((await connection.closed).code, 1000);
		await tetherd.line(/disconnected: TLS: .*certificate/);
		assert.match(await change({ SSL_CERT_FILE: ours.caFile }),
			/settings reloaded/);
		await orchestrator.registered();
		// The system's store can be read by a new process only.
		const pid = tetherd.childPid("connector");
		assert.match(await change({ SSL_CERT_FILE: "" }),
			/settings reloaded/);
		await until(() => tetherd.childPid("connector") !== pid,
			"a new connector");
	});
});
