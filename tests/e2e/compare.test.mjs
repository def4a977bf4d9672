// What a page sees of the APIs that the script stands in for is what it sees
// without: the same rows run at a web app itself and behind a hub and tetherd,
// and what they log must be the same.
//
//	TETHERD_E2E_ROW=TEXT	only the rows that have it in their names

import assert from "node:assert/strict";

import { startAll } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { Browser } from "./lib/browser.mjs";
import { DIFFERENCES } from "./lib/compare/differences.mjs";
import { makeKit } from "./lib/compare/kit.mjs";
import { CLOSING_ROWS } from "./lib/compare/rows-closing.mjs";
import { LOADING_ROWS } from "./lib/compare/rows-loading.mjs";
import { MESSAGE_ROWS } from "./lib/compare/rows-message.mjs";
import { SOCKET_ROWS } from "./lib/compare/rows-socket.mjs";
import { STORAGE_ROWS } from "./lib/compare/rows-storage.mjs";
import { STREAM_ROWS } from "./lib/compare/rows-stream.mjs";
import { startCompared } from "./lib/compare/upstream.mjs";
import { Guard } from "./lib/guard.mjs";

const ROW_LIMIT = 20000; // ms

const WEBSOCKET_ROWS = { ...SOCKET_ROWS, ...MESSAGE_ROWS, ...CLOSING_ROWS };
const ALL_ROWS = { ...WEBSOCKET_ROWS, ...STREAM_ROWS, ...LOADING_ROWS,
	...STORAGE_ROWS };

const MATRIX = [
	{ name: "the hub", rows: ALL_ROWS },
	{ name: "duratii", hubArgs: ["--duratii"], rows: WEBSOCKET_ROWS },
];

const isWanted = ([name]) =>
	name.includes(process.env.TETHERD_E2E_ROW ?? "");

// The logs of all rows, by their names.
async function run(browser, origin, prefix, rows) {
	const page = await browser.context.newPage();
	const logs = new Map();

	await page.goto(`${origin}${prefix}/`);
	await page.evaluate(`window.runRow = (${makeKit})("${prefix}")`);
	for (const [name, row] of Object.entries(rows).filter(isWanted))
		logs.set(name, await page.evaluate(
			`runRow(${JSON.stringify(name)}, ${row}, ${ROW_LIMIT})`));
	await page.close();
	return logs;
}

// The same behind a hub.
async function runBehind(stage, browser, upstream, { hubArgs = [], rows }) {
	const { hub } = await startAll(stage, { upstream,
		hubArgs: ["--user", "583231:octocat", ...hubArgs] });
	const guard = await Guard.start(stage, hub.port,
		{ bases: [hub.base], refused: [/./] });

	return { guard,
		logs: await run(browser, guard.origin, hub.base, rows) };
}

function compare(row, native, behind) {
	assert.deepEqual(behind, DIFFERENCES[row]?.(native) ?? native);
	assert.ok(!native.some((entry) => /^row failed/.test(entry)),
		native.at(-1));
}

// All WebSockets travel in the one to the orchestrator.
function checkTraffic(guard) {
	guard.check();
	assert.deepEqual(guard.trace.filter((line) =>
		line.startsWith("WebSocket") &&
		line !== "WebSocket /ws/connect?type=browser"), []);
}

scenario("what a page sees, compared", async (stage, t) => {
	const upstream = await startCompared(stage);
	const browser = await Browser.start(stage, "compare", upstream.url, []);
	const [native, ...others] = await Promise.all([
		run(browser, upstream.url, "", ALL_ROWS),
		...MATRIX.map((options) =>
			runBehind(stage, browser, upstream, options))]);

	for (const [i, { guard, logs }] of others.entries()) {
		for (const [row, log] of logs)
			await t.test(`${MATRIX[i].name}: ${row}`, () =>
				compare(row, native.get(row), log));
		await t.test(`${MATRIX[i].name}: what goes through`, () =>
			checkTraffic(guard));
	}
});
