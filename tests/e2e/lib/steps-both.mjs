// Two instances in one browser: they share an origin, and nothing else.

import assert from "node:assert/strict";

import { until } from "../../integration/lib/time.mjs";
import { Terminal } from "./terminal.mjs";

const stepOf = (site, name) => site.steps.find(([n]) => n === name)[1];

async function enter(sites) {
	for (const site of sites)
		await stepOf(site, "enter")(site, site.page);
}

// The old app unregisters what it finds, each time that it starts.
async function serviceWorkers([a, b]) {
	const { browser, guard } = a;
	const expected = [`${a.url}/`, `${b.url}/`];
	const all = () => [...browser.workers.values()].sort();
	const idOf = (url) => [...browser.workers]
		.find(([, scope]) => scope === url)?.[0];
	const both = () => until(() => `${all()}` === `${expected}`,
		"not each instance has its service worker")
		.catch((error) => {
			error.message += `: ${all()}`;
			throw error;
		});

	await both();
	const before = idOf(expected[0]);
	await guard.idle();
	await b.page.reload();
	await stepOf(b, "enter")(b, b.page);
	await b.page.evaluate(() => navigator.serviceWorker.ready);
	await both();
	assert.equal(idOf(expected[0]), before, "unregistered by the other");
}

// What is kept for the whole origin, as only the browser sees it.
async function inspect(site, question, answer) {
	const cdp = await site.browser.context.newCDPSession(site.page);
	try {
		return answer(await cdp.send(...question(site.guard.origin)));
	} finally {
		await cdp.detach();
	}
}

const storageKeys = (site) => inspect(site,
	(origin) => ["DOMStorage.getDOMStorageItems", { storageId: {
		securityOrigin: origin, storageKey: `${origin}/`,
		isLocalStorage: true } }],
	({ entries }) => entries.map(([key]) => key));

const cacheNames = (site) => inspect(site,
	(origin) => ["CacheStorage.requestCacheNames", { securityOrigin: origin }],
	({ caches }) => caches.map(({ cacheName }) => cacheName));

async function caches(sites) {
	const [a, b] = sites;

	await until(async () => (await cacheNames(a)).length >= 2,
		"not each instance has its cache");
	for (const site of sites)
		assert.ok(await site.page.evaluate(async (manifest) =>
			(await window.caches.match(manifest))?.url === manifest,
		`${site.url}/manifest.json`), `${site.url}: nothing cached`);
	assert.ok(!await a.page.evaluate(async (manifest) =>
		await window.caches.match(manifest) !== undefined,
	`${b.url}/manifest.json`), "sees the other's cache");
}

async function storage(sites) {
	const [a, b] = sites.map(({ page }) => page);
	const read = (page) => page.evaluate(() =>
		[localStorage.getItem("e2e"), localStorage.getItem("auth-token")]);

	await b.evaluate(() => {
		window.events = [];
		addEventListener("storage", ({ key }) => window.events.push(key));
	});
	await a.evaluate(() => localStorage.setItem("e2e", "a"));
	await b.evaluate(() => localStorage.setItem("e2e", "b"));
	const [itemA, tokenA] = await read(a);
	const [itemB, tokenB] = await read(b);
	assert.deepEqual([itemA, itemB], ["a", "b"]);
	assert.ok(tokenA && tokenB);
	assert.notEqual(tokenA, tokenB);

	const keys = await storageKeys(sites[0]);
	for (const key of ["e2e", "auth-token"])
		assert.ok(!keys.includes(key), `${key} is there for all`);
	await a.evaluate(() => localStorage.clear());
	assert.deepEqual(await read(b), ["b", tokenB]);
	assert.deepEqual(await b.evaluate(() => window.events), []);
	await a.evaluate((token) =>
		localStorage.setItem("auth-token", token), tokenA);
}

// A socket of each, at the same time.
async function sockets(sites) {
	for (const site of sites) {
		await stepOf(site, "conversation")(site, site.page);
		await stepOf(site, "shell")(site, site.page);
	}
	await Promise.all(sites.map(({ page }, i) =>
		new Terminal(page).run(`echo mine-$((${i}+1))`,
			new RegExp(`mine-${i + 1}`))));
}

// [name, function (sites)], in this order.
export const STEPS = [
	["enter", enter],
	["service-workers", serviceWorkers],
	["caches", caches],
	["storage", storage],
	["sockets", sockets],
];
