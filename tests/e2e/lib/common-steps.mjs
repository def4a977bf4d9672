// Steps that are the same for both apps.

import assert from "node:assert/strict";

import { until } from "../../integration/lib/time.mjs";

const under = (site, url) => assert.ok(
	new URL(url, site.url).href.startsWith(`${site.url}/`),
	`${url} is not under ${site.url}/`);

export const visible = (locator) => locator.filter({ visible: true });

// Open a page of the app and wait until the person is in.
export async function open(site, page, path, signedIn) {
	await site.guard.idle();
	await page.goto(site.url + path);
	await signedIn.waitFor();
	assert.equal(await page.locator("input[type=password]").count(), 0,
		"asked for a password");
}

export const urlIs = (site, page, path) =>
	page.waitForURL(site.url + path);

// There and back, and once more from the server.
export async function wander(site, page, from, to, arrived) {
	await site.guard.idle();
	await page.goBack();
	await urlIs(site, page, from);
	await page.goForward();
	await urlIs(site, page, to);
	await arrived.waitFor();
	await site.guard.idle();
	await page.reload();
	await urlIs(site, page, to);
	await arrived.waitFor();
	// The page as it was has taken its socket along.
	await until(() => site.app.all("Chat WebSocket connected").length ===
		site.app.all("Chat client disconnected").length + 1,
	"not one socket is open");
}

// The server sends the browser elsewhere, and it gets there.  (An orchestrator
// may make the browser believe that it never was sent.)
export async function redirect(site, page) {
	const { url, redirected } = await page.evaluate(async (folder) => {
		const { url, redirected } = await fetch(folder);
		return { url, redirected };
	}, "/icons");
	assert.equal(redirected, site.exact);
	assert.equal(url, `${site.url}/icons${redirected ? "/" : ""}`);
}

async function manifest(site, page) {
	const cdp = await site.browser.context.newCDPSession(page);
	const { url, errors, data } = await cdp.send("Page.getAppManifest");
	await cdp.detach();

	under(site, url);
	assert.deepEqual(errors, []);
	const text = JSON.parse(data);
	under(site, new URL(text.start_url, url));
	under(site, new URL(text.scope, url));
	assert.ok(text.icons.length > 0);
	return text.icons.map(({ src }) => new URL(src, url).href);
}

// An orchestrator that cannot carry bytes passes their base64 on: once it
// controls the page, the service worker undoes that.
const bytesCome = (page) => page.evaluate(() => new Promise((resolve) => {
	const { serviceWorker } = navigator;
	if (serviceWorker.controller)
		return resolve();
	serviceWorker.addEventListener("controllerchange", () => resolve());
}));

// The icons of the page and of its manifest are pictures.
export async function pictures(site, page) {
	const icons = new Set(await manifest(site, page));
	if (!site.exact)
		await bytesCome(page);
	for (const link of await page.locator("link[rel~='icon']").all())
		icons.add(await link.evaluate((e) => e.href));
	for (const url of icons) {
		under(site, url);
		await page.evaluate((src) => {
			const image = new Image();
			image.src = src;
			return image.decode();
		}, url);
	}
}

// All fonts of formulas can be loaded.
export async function fonts(site, page) {
	if (!site.exact)
		await bytesCome(page);
	const states = await page.evaluate(() => Promise.all(
		[...document.fonts].filter((f) => f.family.startsWith("KaTeX"))
			.map((f) => f.load().then(() => f.status,
				(error) => `${f.family}: ${error.message}`))));
	assert.ok(states.length >= 10, `${states.length} fonts`);
	assert.deepEqual([...new Set(states)], ["loaded"]);
}

// The app's service worker is there, under its prefix, and nowhere else.
export async function worker(site, page) {
	const scope = await page.evaluate(async () =>
		(await navigator.serviceWorker.ready).scope);

	under(site, scope);
	const scopes = () => [...site.browser.workers.values()];
	await until(() => scopes().includes(scope),
		"the browser does not know of the service worker");
	assert.deepEqual(scopes(), [scope]);
	const seen = await page.evaluate(async () =>
		(await navigator.serviceWorker.getRegistrations())
			.map((registration) => registration.scope));
	assert.deepEqual(seen, [scope]);
}
