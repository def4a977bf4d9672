// How much memory the processes take while a 20 MB text and then, for a
// minute, the largest asset pass through hub and tetherd.
//
//	BENCH_SECONDS	of the second part, 60 if absent
//	BENCH_CONNECTIONS	at once in the second part, 8 if absent
//
// Exits with 1 when a process takes more than its bound, or grows in the
// second half of the minute.

import { readFileSync } from "node:fs";

import { request } from "../integration/lib/http.mjs";
import { startAll } from "../integration/lib/programs.mjs";
import { ASSET, bench, load, table } from "./lib/bench.mjs";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 8);
const BODY = 20000000;
const SAMPLE_MS = 100;

/*
 * Bounds in MiB on what is resident, shared libraries included.  What may
 * pile up: in proxyd the answers that are complete and not yet sent, in
 * the hub one message per instance and what its browsers have not read; the
 * connector passes pieces on and the others see no bodies.
 */
const BOUNDS = {
	"tetherd": 8,
	"authd": 16,
	"connector": 16,
	"proxyd": 64,
	"tether-hub": 64,
};
// What may come on top between the middle and the end of the minute.
const GROWTH = 8;

function resident(pid) {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	const mib = (name) =>
		Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m")
			.exec(status)[1]) / 1024;
	return { now: mib("VmRSS"), peak: mib("VmHWM") };
}

// Take samples until stop(), which returns the largest one of each process.
function watch(pids) {
	const largest = {};
	const timer = setInterval(() => {
		for (const [name, pid] of Object.entries(pids))
			largest[name] = Math.max(largest[name] ?? 0,
				resident(pid).now);
	}, SAMPLE_MS);
	return () => {
		clearInterval(timer);
		return largest;
	};
}

const read = (pids, what) => Object.fromEntries(Object.entries(pids)
	.map(([name, pid]) => [name, resident(pid)[what]]));
const now = (pids) => read(pids, "now");

await bench(async (stage) => {
	const { hub, tetherd } = await startAll(stage);
	const base = hub.url + hub.base;
	const pids = { tetherd: tetherd.pid };
	for (const name of ["authd", "connector", "proxyd"])
		pids[name] = tetherd.childPid(name);
	pids["tether-hub"] = hub.pid;
	await request(`${base}/api/whoami`);
	const idle = now(pids);

	const body = await request(
		`${base}/api/big?bytes=${BODY}&type=text/plain`);
	const atBody = read(pids, "peak"); // too short for samples
	if (body.status !== 200 || body.body.length !== BODY)
		throw new Error(`20 MB: ${body.status}, ${body.body.length}`);

	const stop = watch(pids);
	const first = await load(base + ASSET, CONNECTIONS, SECONDS / 2);
	const middle = now(pids);
	const second = await load(base + ASSET, CONNECTIONS, SECONDS / 2);
	const atAsset = stop();
	const end = now(pids);

	const requests = first.requests + second.requests;
	console.log(`${requests} × 2.95 MB in ${SECONDS} s on ` +
		`${CONNECTIONS} connections, ` +
		`${first.errors + second.errors} errors; MiB resident:`);
	let bad = first.errors + second.errors > 0 || requests === 0;
	table(["", "idle", "20 MB", "asset", "middle", "end", "peak", "bound",
		""], Object.entries(pids).map(([name, pid]) => {
		const { peak } = resident(pid);
		const over = peak > BOUNDS[name];
		const grew = end[name] - middle[name] > GROWTH;
		bad ||= over || grew;
		return [name, ...[idle, atBody, atAsset, middle, end]
			.map((column) => (column[name] ?? 0).toFixed(1)),
		peak.toFixed(1), BOUNDS[name],
		over ? "OVER" : grew ? "GREW" : "ok"];
	}));
	return bad ? 1 : 0;
});
