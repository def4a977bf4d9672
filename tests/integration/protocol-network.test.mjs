// Over a network that fails: a wire that is cut, names that move.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { isInside, noNetwork, NOBODY, OTHER, OURS, runInside, startHost }
	from "./lib/network.mjs";
import { Orchestrator } from "./lib/orchestrator.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const NAME = "orchestrator.example";
const INTERVAL_MS = 1000;
const PONG_MS = 10000;

// CI machines are slow.
const SLACK_MS = 4000;

if (isInside)
	tests();
else
	scenario("3 the network", { skip: noNetwork() }, async () => {
		const { code, stdout } =
			await runInside(fileURLToPath(import.meta.url));
		assert.equal(code, 0, stdout);
	});

async function start(stage, address, env = {}) {
	const host = await startHost(stage);
	const orchestrator = await Orchestrator.start(stage, { address });
	const connect = () => startTetherd(stage, {
		within: host.within,
		env: {
			ORCHESTRATOR_URL: `ws://${NAME}:${orchestrator.port}/ws`,
			ORCHESTRATOR_HEARTBEAT_INTERVAL: String(INTERVAL_MS),
			PORT: "1",
			...env,
		},
	});
	return { host, orchestrator, connect };
}

function tests() {
	scenario("3 heartbeat: a wire that is cut", async (stage) => {
		const { host, orchestrator, connect } = await start(stage, OURS);
		await host.hosts(`${OURS} ${NAME}\n`);
		const tetherd = await connect();
		const connection = await orchestrator.registered();
		await tetherd.registered();
		await connection.receive("ping");

		await host.cut();
		const at = Date.now();
		const line = await tetherd.line("disconnected: ",
			{ timeout: 30000 });
		const took = Date.now() - at;
		assert.match(line, /: (no pong|.*timed out);/);
		assert.ok(took < INTERVAL_MS + PONG_MS + SLACK_MS, `${took} ms`);
		const from = tetherd.lines.length;
		await host.mend();
		await tetherd.registered(from);
		const next = await orchestrator.registered();
		assert.equal((await next.request()).status, 502);
	});

	scenario("3 heartbeat: a wire that is cut and soon mended",
		async (stage) => {
			const { host, orchestrator, connect } = await start(stage, OURS);
			await host.hosts(`${OURS} ${NAME}\n`);
			const tetherd = await connect();
			const connection = await orchestrator.registered();
			await tetherd.registered();

			await host.cut();
			const answer = connection.request();
			await new Promise((resolve) => setTimeout(resolve, 3000));
			await host.mend();
			assert.equal((await answer).status, 502);
			assert.deepEqual(tetherd.all("disconnected"), []);
		});

	scenario("3 reconnecting: names are looked up anew each time",
		async (stage) => {
			const { host, orchestrator, connect } = await start(stage, OTHER);
			const tetherd = await connect();
			await tetherd.line(`can't resolve ${NAME}: `);

			await host.hosts(`${OURS} ${NAME}\n`);
			await tetherd.line(`can't connect to ${NAME} port ${
				orchestrator.port}: Connection refused`);

			await host.hosts(`${OTHER} ${NAME}\n`);
			await tetherd.registered();

			// It moves, while the connection stands.
			const connection = await orchestrator.registered();
			const second = new Orchestrator({ address: OURS });
			await second.listen(orchestrator.port);
			stage.atEnd(() => second.close());
			await host.hosts(`${OURS} ${NAME}\n`);
			connection.socket.destroy();
			await second.registered();
		});

	for (const [text, list] of [
		["refuses", [OURS, OTHER]], ["is silent", [NOBODY, OTHER]],
		["is silent, the second refuses", [NOBODY, OURS, OTHER]],
	])
		scenario(`3 reconnecting: the first address ${text}`,
			async (stage) => {
				const { host, orchestrator, connect } =
					await start(stage, OTHER);
				await host.hosts(list.map((address) =>
					`${address} ${NAME}\n`).join(""));
				const tetherd = await connect();
				await orchestrator.registered(5000);
				await tetherd.registered();
				assert.deepEqual(tetherd.all("next attempt"), []);
			});
}
