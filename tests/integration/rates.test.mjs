// How much one person may ask for.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";

const OCTOCAT = identity(583231, "octocat");
const HUBOT = identity(5, "hubot");

const limits = (text) => `limits {\n\t${text}\n}\n`;

// How many of so many requests at once got which status.
async function flood(connection, headers, count, path = "/") {
	const answers = await Promise.all(Array.from({ length: count }, () =>
		connection.request({ path, headers })));
	const statuses = {};
	for (const { status } of answers)
		statuses[status] = (statuses[status] ?? 0) + 1;
	return { answers, statuses };
}

const start = async (stage, text) => {
	const conf = await startConf(stage, text);
	const instance = await startInstance(stage, { args: conf.args,
		handle: (req, res) => res.end("let through") });
	return { conf, ...instance };
};

describe("rates", { concurrency: 2 }, () => {
	scenario("requests per second", async (stage) => {
		const { conf, connection, tetherd, upstream } =
			await start(stage, limits("requests per second 20"));

		const { answers, statuses } =
			await flood(connection, OCTOCAT, 200);
		assert.ok(statuses[200] >= 20 && statuses[200] <= 150,
			JSON.stringify(statuses));
		assert.equal(statuses[200] + statuses[429], 200);
		assert.equal(upstream.requests.items.length, statuses[200]);
		await tetherd.line(/: audit: request refused .* 429 /);
		const refused = answers.find(({ status }) => status === 429);
		assert.equal(refused.header("retry-after"), "1");
		assert.equal(refused.header("cache-control"), "no-store");
		assert.deepEqual(refused.json,
			{ error: "too many requests; try again in a moment" });
		assert.equal(refused.header("x-tether-denied"),
			refused.json.error);

		// One line tells of all in the same second.
		const told = tetherd.all(/: audit: request refused .* 429 /);
		assert.ok(told.length >= 1 && told.length <= 10, told.length);

		// Others are not concerned, and nobody is not one person.
		for (const headers of [HUBOT, []])
			assert.equal((await connection.request(
				{ path: "/", headers })).status, 200);
		assert.deepEqual((await flood(connection, [], 200)).statuses,
			{ 200: 200 });
		await new Promise((resolve) => setTimeout(resolve, 1100));
		assert.equal((await connection.request(
			{ path: "/", headers: OCTOCAT })).status, 200);

		// A browser that shows it gets a page.
		const pages = await flood(connection,
			[...OCTOCAT, ["Sec-Fetch-Mode", "navigate"]], 200);
		const page = pages.answers.find(({ status }) => status === 429);
		assert.match(page.body, /<title>Too many requests<\/title>/);

		await conf.change("", tetherd);
		assert.deepEqual((await flood(connection, OCTOCAT, 200)).statuses,
			{ 200: 200 });
		await conf.change(limits("requests per second 0"), tetherd);
		assert.deepEqual((await flood(connection, OCTOCAT, 200)).statuses,
			{ 200: 200 });
		await conf.change(limits("requests per second 1"), tetherd);
		const last = await flood(connection, OCTOCAT, 50);
		assert.ok(last.statuses[200] <= 20, JSON.stringify(last.statuses));
	});

	scenario("failures per minute", async (stage) => {
		const { conf, connection, tetherd } = await start(stage,
			"policy {\n\tusers { octocat }\n\tdeny path \"/closed\"\n}\n" +
			limits("failures per minute 3"));
		const ask = (path, headers) =>
			connection.request({ path, headers });

		for (let i = 0; i < 3; i++)
			assert.equal((await ask("/", HUBOT)).status, 403);
		const busy = await ask("/", HUBOT);
		assert.equal(busy.status, 429);
		assert.match(busy.header("retry-after"), /^(?:1\d|20)$/);
		assert.equal(busy.json.error,
			"too much was refused; try again in a moment");

		// What may be asked for counts as well, for whom it was closed.
		assert.equal((await ask("/", OCTOCAT)).status, 200);
		for (let i = 0; i < 3; i++)
			assert.equal((await ask("/closed", OCTOCAT)).status, 403);
		assert.equal((await ask("/", OCTOCAT)).status, 429);
		for (let i = 0; i < 10; i++)
			assert.equal((await ask("/closed", [])).status, 403);
		assert.equal((await ask("/", [])).status, 200);

		// More may be refused now: whoever was is soon let in again.
		await conf.change("policy {\n\tusers { octocat }\n}\n", tetherd);
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.equal((await ask("/", OCTOCAT)).status, 200);
		assert.equal((await ask("/", HUBOT)).status, 403);
	});
});
