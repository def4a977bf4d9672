// Chromium, and what its pages leave behind: pictures and console lines.

import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { BUILD } from "../../integration/lib/programs.mjs";
import { deadline } from "../../integration/lib/time.mjs";

const SIZE = { width: 1280, height: 800 };
const TIMEOUT = 30000; // of a wait
const STEP_TIMEOUT = 90000;

/*
 * Nothing leaves the machine, not even a question to a name server.  Without
 * WebGL a terminal's rows are elements, which a test can read.
 */
const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
	"--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--disable-3d-apis",
	"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];

export class Browser {
	/*
	 *	name	of the case
	 *	origin	the only one on this machine that pages may turn to
	 *	quiet	expressions for the console's lines that the web app
	 *		itself is the cause of
	 */
	static async start(stage, name, origin, quiet) {
		const browser = new Browser();
		browser.folder = join(BUILD, "e2e-screenshots", name);
		browser.quiet = quiet;
		browser.console = []; // lines
		browser.failed = []; // requests, and why
		browser.strays = []; // URLs that go elsewhere
		browser.served = []; // URLs that a service worker answered
		browser.steps = 0;
		await rm(browser.folder, { recursive: true, force: true });
		await mkdir(browser.folder, { recursive: true });

		const profile = await stage.directory();
		browser.context = await chromium.launchPersistentContext(profile, {
			executablePath: process.env.TETHERD_CHROMIUM ??
				"/usr/bin/chromium",
			args: ARGS,
			viewport: SIZE,
			locale: "en-US",
			handleSIGINT: false,
			handleSIGTERM: false,
			handleSIGHUP: false,
		});
		stage.atEnd(() => browser.context.close());
		browser.context.setDefaultTimeout(TIMEOUT);
		browser.context.on("console", (message) => browser.console.push(
			`${message.type()}: ${message.text()} ` +
			`(${message.location().url})`));
		browser.context.on("weberror", (error) => browser.console.push(
			`uncaught: ${error.error().stack}`));
		browser.context.on("request", (request) =>
			browser.look(origin, request.url()));
		for (const page of browser.context.pages())
			browser.watch(origin, page);
		browser.context.on("page", (page) => browser.watch(origin, page));
		browser.context.on("requestfailed", (request) =>
			browser.fail(origin, request));
		browser.context.on("response", (response) => {
			if (response.fromServiceWorker())
				browser.served.push(response.url());
		});
		await browser.watchWorkers();
		return browser;
	}

	watch(origin, page) {
		page.on("websocket", (socket) => this.look(origin, socket.url()));
	}

	// Other hosts cannot be reached, but other ports can.
	look(origin, url) {
		const { hostname, host } = new URL(url);
		if (/^(127\.|localhost$|\[)/.test(hostname) &&
		    host !== new URL(origin).host)
			this.strays.push(url);
	}

	// Leaving a page breaks requests off, and other hosts cannot be reached.
	// The icon is loaded for the window and not for the page: where a
	// service worker answers, it fails when the page goes.
	fail(origin, request) {
		const { errorText } = request.failure();
		const { origin: asked, pathname } = new URL(request.url());
		const isIcon = pathname.endsWith("/favicon.svg");
		if (asked === origin && errorText !== "net::ERR_ABORTED" &&
		    !(isIcon && errorText === "net::ERR_FAILED"))
			this.failed.push(`${request.url()}: ${errorText}`);
	}

	// Learn of every service worker, whichever origin or path it is for.
	async watchWorkers() {
		const known = new Map();
		const cdp = await this.context.newCDPSession(this.context.pages()[0]);

		cdp.on("ServiceWorker.workerRegistrationUpdated",
			({ registrations }) => {
				for (const one of registrations)
					if (one.isDeleted)
						known.delete(one.registrationId);
					else
						known.set(one.registrationId, one.scopeURL);
			});
		await cdp.send("ServiceWorker.enable");
		this.workers = known; // their scopes, by id
	}

	// A step of a test, with a picture of how each page looks after it.
	async step(pages, name, body) {
		const number = String(++this.steps).padStart(2, "0");

		try {
			return await deadline(body(), STEP_TIMEOUT, "no end");
		} catch (error) {
			error.message = `step ${number}, ${name}: ${error.message}`;
			throw error;
		} finally {
			for (const [i, page] of pages.entries()) {
				const file = `${number}${"abc"[i - 1] ?? ""}-${name}.png`;
				await page.screenshot({ path: join(this.folder, file),
					timeout: 10000 }).catch(() => {});
			}
		}
	}

	// Lines beside the pictures.
	async keep(file, lines) {
		await writeFile(join(this.folder, file), lines.join("\n") + "\n");
	}

	check() {
		assert.deepEqual(this.strays, [], "asked of another server");
		assert.deepEqual(this.failed, [], "requests that failed");
		const complaints = this.console.filter((line) =>
			/^(assert|error|uncaught|warning):/.test(line) &&
			!/TypeError: Failed to fetch/.test(line) && // see fail()
			!this.quiet.some((expression) => expression.test(line)));
		assert.deepEqual(complaints, [], "on the console");
	}
}
