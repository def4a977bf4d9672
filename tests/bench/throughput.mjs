// How fast small and large answers come through hub and tetherd, side by
// side with the upstream itself.  wrk makes the load where it is installed.
//
//	BENCH_SECONDS	of each measurement, 5 if absent
//	BENCH_CONNECTIONS	at once, 16 if absent

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { startAll } from "../integration/lib/programs.mjs";
import { ASSET, bench, load, SMALL, table } from "./lib/bench.mjs";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 16);
const UNITS = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
const MILLIS = { us: 0.001, ms: 1, s: 1000, m: 60000 };

const run = promisify(execFile);
const hasWrk = await run("wrk", ["-v"]).then(() => true,
	(error) => error.code !== "ENOENT");

// { rate (requests a second), bytes (a second), p50, p99 (ms), errors }
async function measure(url) {
	if (hasWrk)
		return byWrk(url);
	const { requests, bytes, seconds, errors, latencies } =
		await load(url, CONNECTIONS, SECONDS);
	const at = (share) =>
		latencies[Math.floor(latencies.length * share)] ?? NaN;
	return { rate: requests / seconds, bytes: bytes / seconds,
		p50: at(0.5), p99: at(0.99), errors };
}

async function byWrk(url) {
	const { stdout } = await run("wrk", ["-t1", `-c${CONNECTIONS}`,
		`-d${SECONDS}s`, "--timeout", "30s", "--latency", url]);
	const find = (expression) => expression.exec(stdout);
	const transfer = find(/Transfer\/sec:\s+([\d.]+)(\w+)/);
	const percentile = (n) => {
		const [, value, unit] = find(new RegExp(`${n}%\\s+([\\d.]+)(\\w+)`));
		return Number(value) * MILLIS[unit];
	};
	const bad = find(/Non-2xx or 3xx responses: (\d+)/);
	return {
		rate: Number(find(/Requests\/sec:\s+([\d.]+)/)[1]),
		bytes: Number(transfer[1]) * UNITS[transfer[2]],
		p50: percentile(50),
		p99: percentile(99),
		errors: bad === null ? 0 : Number(bad[1]),
	};
}

await bench(async (stage) => {
	const { hub, upstream } = await startAll(stage);
	const rows = [];
	let errors = 0;

	for (const [name, path] of [["small", SMALL], ["2.95 MB", ASSET]]) {
		const direct = await measure(upstream.url + path);
		const through = await measure(hub.url + hub.base + path);
		errors += direct.errors + through.errors;
		for (const [way, m] of [["direct", direct], ["tether", through]])
			rows.push([`${name}, ${way}`, m.rate.toFixed(0),
				(m.bytes / 1e6).toFixed(1), m.p50.toFixed(2),
				m.p99.toFixed(2), m.errors]);
		rows.push([`${name}, ratio`, (through.rate / direct.rate)
			.toFixed(3), "", (through.p50 / direct.p50).toFixed(1),
		(through.p99 / direct.p99).toFixed(1), ""]);
	}
	console.log(`${CONNECTIONS} connections, ${SECONDS} s each, by ` +
		`${hasWrk ? "wrk" : "Node"}`);
	table(["", "req/s", "MB/s", "p50 ms", "p99 ms", "errors"], rows);
	return errors > 0 ? 1 : 0;
});
