// What `make soak` does, with less of it: nothing is left over.

import assert from "node:assert/strict";

import { HEAD, Soak } from "../bench/lib/soak.mjs";
import { BUILD } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const PHASES = { cycles: 60, requests: 3000, sessions: 60, tunnels: 60,
	reloads: 3 };
const WARM_UP = { cycles: 10, requests: 1000, sessions: 20, tunnels: 10,
	reloads: 1 };
// What so little of it leaves behind says little of memory; nor does that of
// a sanitizer's build, which keeps what is free.
const LOOSENESS = BUILD.includes("address") ? Infinity : 4;

scenario("nothing is left over",
	{ skip: process.getuid() !== 0 && "only root may look" },
	async (stage, t) => {
		const soak = await Soak.start(stage);
		for (const [name, n] of Object.entries(WARM_UP))
			await soak[name](n);
		for (const [name, n] of Object.entries(PHASES))
			await soak.phase(name, n, LOOSENESS);
		for (const row of [HEAD, ...soak.rows])
			t.diagnostic(row.join(" "));
		assert.deepEqual(soak.faults, []);
	});
