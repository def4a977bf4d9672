// Whether anything is left over of a great many connections, requests, chat
// sessions, tunnels and reloads: descriptors, processes or memory.
//
//	soak.mjs [--cycles N] [--requests N] [--sessions N] [--tunnels N]
//	    [--reloads N] [--only PHASE]
//
// 1,000, 100,000, 1,000, 1,000 and 20 if absent; 0 leaves it out.  A tenth of
// each comes in front (10 at least, or 2,000 requests), uncounted, so that what
// is made once is there.  Memory is in MiB, before the phase and after it;
// "descriptors" is before/after, and so on.  Exits with 1 when something is left
// over, or somebody died, and says what.

import { parseArgs } from "node:util";

import { bench, table } from "./lib/bench.mjs";
import { HEAD, Soak } from "./lib/soak.mjs";

const PHASES = { cycles: 1000, requests: 100000, sessions: 1000,
	tunnels: 1000, reloads: 20 };

function readOptions() {
	const { values } = parseArgs({ options: {
		only: { type: "string" },
		...Object.fromEntries(Object.keys(PHASES).map((name) =>
			[name, { type: "string" }])),
	} });
	return Object.entries(PHASES)
		.filter(([name]) => (values.only ?? name) === name)
		.map(([name, n]) => [name, Number(values[name] ?? n)])
		.filter(([, n]) => n > 0);
}

await bench(async (stage) => {
	const phases = readOptions();
	if (process.getuid() !== 0)
		throw new Error("only root may look into the processes");
	const soak = await Soak.start(stage);

	for (const [name, n] of phases)
		await soak[name](Math.max(name === "requests" ? 2000 : 10,
			Math.ceil(n / 10)));
	for (const [name, n] of phases)
		await soak.phase(name, n);
	table(HEAD, soak.rows);
	for (const fault of soak.faults)
		console.error(fault);
	return soak.faults.length > 0 ? 1 : 0;
});
