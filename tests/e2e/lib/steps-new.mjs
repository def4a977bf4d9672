// What a person does in the app of today.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { until } from "../../integration/lib/time.mjs";
import {
	fonts, open, pictures, redirect, urlIs, visible, wander, worker,
} from "./common-steps.mjs";
import { NEEDLE, README, SESSION, TITLE } from "./home.mjs";
import {
	QUIET as QUIET_TERMINAL, tryResize, tryTerminal,
} from "./terminal.mjs";

const CONVERSATION = `/session/${SESSION}`;

// Each part of the settings, and something that is only there.
const SETTINGS = {
	"Agents": "Connection Status",
	"Appearance": "Display Language",
	"Git": "Git Name",
	"API & Tokens": "New API Key",
	"Voice": "Enable voice",
	"Tasks": "TaskMaster AI CLI Not Installed",
	"Browser": "Enable Browser",
	"Plugins": "Project Stats",
	"Notifications": "Notify this browser",
	"About": "Star on GitHub",
};

const SOURCE_CONTROL = {
	"Commits": "the first commit",
	"Branches": "Local",
	"Worktrees": "Create your first worktree",
	"Changes": "+One line more.",
};

const tab = (page, name) => page.getByRole("tab", { name, exact: true });

const message = (page) =>
	page.getByRole("textbox", { name: /Type \/ for commands/ });

const settingsButton = (page) =>
	visible(page.getByRole("button", { name: "Settings", exact: true }));

async function enter(site, page) {
	await open(site, page, "/", settingsButton(page));
	await message(page).waitFor();
}

async function conversation(site, page) {
	await page.locator(`a[href$="${CONVERSATION}"]`).click();
	await urlIs(site, page, CONVERSATION);
	// Both come in parts that are loaded for them.
	await page.locator(".katex-html").first().waitFor();
	await page.locator("svg[id^=mermaid]").waitFor();
}

async function history(site, page) {
	await wander(site, page, "/", CONVERSATION,
		page.locator("svg[id^=mermaid]"));
}

async function chat(site, page) {
	await visible(page.getByRole("button", { name: "New Session" })).click();
	await urlIs(site, page, "/");
	await message(page).fill("What about 6*7?");
	await page.keyboard.press("Enter");
	await page.getByText("You said: What about 6*7?").waitFor();
	await page.waitForURL(/\/session\/./);
	assert.ok(page.url().startsWith(`${site.url}/session/`));
}

async function openFile(site, page) {
	await tab(page, "Files").click();
	await visible(page.getByText("README.md", { exact: true })).click();
	const editor = page.locator(".cm-content");
	await editor.getByText("A line of the sample project.").waitFor();
	await editor.click();
	await page.keyboard.press("Control+End");
	await page.keyboard.type("Zoë was here.");
	await page.keyboard.press("Control+S");
	const path = join(site.app.home, "sample/README.md");
	await until(async () => (await readFile(path, "utf8")) ===
		`${README}One line more.\nZoë was here.`, "the file is not saved");
	await page.getByRole("button", { name: "Close", exact: true }).click();
}

async function upload(site, page) {
	const files = [{ name: "up.txt", mimeType: "text/plain",
		buffer: Buffer.from("Zoë\n") }];
	if (site.exact)
		files.push({ name: "up.bin", mimeType: "application/octet-stream",
			buffer: Buffer.from([0, 255, 254, 128, 13, 10, 1]) });
	const [chooser] = await Promise.all([
		page.waitForEvent("filechooser"),
		page.getByRole("button", { name: /^Upload files \(max/ }).click(),
	]);
	await chooser.setFiles(files);
	for (const { name, buffer } of files) {
		const path = join(site.app.home, "sample", name);
		await until(async () => buffer.equals(await readFile(path)
			.catch(() => Buffer.alloc(0))), `${name} is not there`);
		await visible(page.getByText(name, { exact: true })).waitFor();
	}
}

async function sourceControl(site, page) {
	await tab(page, "Source Control").click();
	for (const [name, text] of Object.entries(SOURCE_CONTROL)) {
		await page.getByRole("tab", { name: new RegExp(`^${name}`) }).click();
		await visible(page.getByText(text)).first().waitFor();
	}
}

async function shell(site, page) {
	await tab(page, "Shell").click();
	await tryTerminal(page);
}

async function search(site, page) {
	await page.getByRole("button", { name: "Conversations" }).click();
	await page.getByRole("textbox", { name: /^Search in conv/ }).fill(NEEDLE);
	const found = page.getByRole("region", { name: "Conversation contents" })
		.getByRole("button", { name: new RegExp(TITLE) });
	await found.getByText(NEEDLE).waitFor();
	await found.click();
	await urlIs(site, page, CONVERSATION);
	await page.getByRole("button", { name: "Projects", exact: true }).click();
}

const settingsDialog = (page) => page.locator("div.fixed").filter({
	has: page.getByRole("heading", { name: "Settings", exact: true }),
}).last();

async function settingsPart(page, name) {
	await visible(settingsDialog(page)
		.getByRole("button", { name, exact: true })).click();
	await settingsDialog(page).getByText(SETTINGS[name]).first().waitFor();
}

async function settings(site, page) {
	await settingsButton(page).click();
	for (const name of Object.keys(SETTINGS))
		await settingsPart(page, name);
}

async function documentation(site, page) {
	await settingsPart(page, "API & Tokens");
	const [docs] = await Promise.all([
		site.browser.context.waitForEvent("page"),
		page.getByRole("link", { name: "API Documentation" }).click(),
	]);
	await docs.waitForLoadState();
	assert.ok(docs.url().startsWith(`${site.url}/api-docs.html`));
	await docs.locator("a.back-link").click();
	await urlIs(site, docs, "/");
	await settingsButton(docs).waitFor();
	await site.guard.idle();
	await docs.close();
}

async function language(site, page) {
	await settingsPart(page, "Appearance");
	await settingsDialog(page).locator("select").filter({ hasText: "Deutsch" })
		.selectOption({ label: "Deutsch" });
	await page.getByText("Einstellungen").first().waitFor();
	await open(site, page, "/", visible(page.getByRole("button",
		{ name: "Einstellungen", exact: true })));
}

// [name, function (site, page)], in this order.
export const STEPS = [
	["enter", enter],
	["manifest-and-icons", pictures],
	["service-worker", worker],
	["redirect", redirect],
	["conversation", conversation],
	["fonts", fonts],
	["back-forward-reload", history],
	["chat", chat],
	["files", openFile],
	["upload", upload],
	["source-control", sourceControl],
	["shell", shell],
	["resize", tryResize],
	["search", search],
	["settings", settings],
	["documentation", documentation],
	["language", language],
];

// What the app says on the console when nobody stands in front of it.
export const QUIET = [
	...QUIET_TERMINAL,
	// Hosts that cannot be reached from a test.
	/^error: Failed to load resource: net::ERR_(FAILED|NAME_NOT_RESOLVED) \(https:\/\/(fonts\.googleapis\.com|api\.github\.com|cdnjs\.cloudflare\.com)\//,
	/^error: Failed to load resource: .* 404 .*\/token-usage\)$/,
	// After a change of the language.
	/^warning: WebSocket not connected \(/,
];

// What the app refuses, by itself, too.
export const REFUSED = [
	// The stand-in keeps no record of a conversation.
	/^404 GET \S*\/token-usage$/,
];
