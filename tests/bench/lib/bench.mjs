// What the benchmarks share: a stage of their own, load, tables.

import { Stage } from "../../integration/lib/scenario.mjs";
import { request } from "../../integration/lib/http.mjs";

// The real app's largest asset: 2.95 MB of script.
export const ASSET_BYTES = 2948983;
export const ASSET =
	`/api/big?bytes=${ASSET_BYTES}&type=application/javascript`;
export const SMALL = "/api/auth/status";

// Run with a stage that ends with it; a failure shows all output.
export async function bench(body) {
	const stage = new Stage();
	let status = 1;

	try {
		status = await body(stage) ?? 0;
	} catch (error) {
		console.error(`${error.stack}\n${stage.report()}`);
	}
	await stage.end().catch((error) => {
		console.error(error.message);
		status = 1;
	});
	process.exitCode = status;
}

/*
 * Ask for the URL on some connections at once for so many seconds.
 * Returns { requests, bytes, seconds, errors, latencies (ms, sorted) }.
 */
export async function load(url, connections, seconds) {
	const total = { requests: 0, bytes: 0, errors: 0, latencies: [] };
	const start = performance.now();
	const end = start + seconds * 1000;

	await Promise.all(Array.from({ length: connections }, async () => {
		while (performance.now() < end) {
			const before = performance.now();
			const answer = await request(url).catch(() => null);
			if (answer?.status !== 200) {
				total.errors++;
				continue;
			}
			total.requests++;
			total.bytes += answer.body.length;
			total.latencies.push(performance.now() - before);
		}
	}));
	total.seconds = (performance.now() - start) / 1000;
	total.latencies.sort((a, b) => a - b);
	return total;
}

// Rows of texts and numbers, columns as wide as they must be.
export function table(head, rows) {
	const all = [head, ...rows].map((row) => row.map(String));
	const widths = head.map((_, i) =>
		Math.max(...all.map((row) => row[i].length)));
	for (const row of all)
		console.log(row.map((cell, i) => i === 0
			? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
			.join("  "));
}
