// What a person does in the app as it was.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { until } from "../../integration/lib/time.mjs";
import {
	fonts, open, pictures, redirect, urlIs, visible, wander, worker,
} from "./common-steps.mjs";
import { NEEDLE, README, SESSION } from "./home.mjs";
import {
	QUIET as QUIET_TERMINAL, tryResize, tryTerminal,
} from "./terminal.mjs";

const CONVERSATION = `/session/${SESSION}`;

// Each part of the settings, and something that is only there.
const SETTINGS = {
	"Tools": "Permission Settings",
	"Appearance": "Project Sorting",
	"Tasks": "TaskMaster AI CLI Not Installed",
	"API & Tokens": "New API Key",
};

const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA" +
	"DUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64");

const button = (page, name) =>
	visible(page.getByRole("button", { name, exact: true }));

const message = (page) =>
	page.getByRole("textbox", { name: /Type \/ for commands/ });

const enter = (site, page) =>
	open(site, page, "/", button(page, "Settings"));

async function conversation(site, page) {
	await visible(page.getByRole("button", { name: /^sample 1/ })).click();
	await visible(page.getByRole("button", { name: new RegExp(NEEDLE) }))
		.first().click();
	await urlIs(site, page, CONVERSATION);
	await page.locator(".katex-html").first().waitFor();
}

const history = (site, page) => wander(site, page, "/", CONVERSATION,
	page.locator(".katex-html").first());

async function openFile(site, page) {
	await button(page, "Files").click();
	await visible(page.getByText("README.md", { exact: true })).click();
	const editor = page.locator(".cm-content");
	await editor.getByText("A line of the sample project.").waitFor();
	await editor.click();
	await page.keyboard.press("Control+End");
	await page.keyboard.type("Zoë was here.");
	await button(page, "Save").click();
	const path = join(site.app.home, "sample/README.md");
	await until(async () => (await readFile(path, "utf8")) ===
		`${README}One line more.\nZoë was here.`, "the file is not saved");
	await button(page, "Close").click();
}

async function sourceControl(site, page) {
	await button(page, "Source Control").click();
	await visible(page.getByText("+One line more.")).first().waitFor();
	await button(page, "History").click();
	await visible(page.getByText("the first commit")).waitFor();
}

async function shell(site, page) {
	await button(page, "Shell").click();
	await button(page, "Continue in Shell").click();
	await tryTerminal(page);
}

// The app looks for the size of a terminal when one turns to it.
const resize = (site, page) => tryResize(site, page, async () => {
	await button(page, "Files").click();
	await button(page, "Shell").click();
});

async function settings(site, page) {
	await button(page, "Settings").click();
	for (const [name, text] of Object.entries(SETTINGS)) {
		await button(page, name).click();
		await visible(page.getByText(text)).first().waitFor();
	}
	await button(page, "Cancel").click();
}

// A message with a picture; there is nobody whom the app could ask.
async function chat(site, page) {
	await button(page, "Chat").click();
	const [chooser] = await Promise.all([
		page.waitForEvent("filechooser"),
		button(page, "Attach images").click(),
	]);
	await chooser.setFiles(
		{ name: "dot.png", mimeType: "image/png", buffer: PICTURE });
	await message(page).fill("What is this?");
	const [uploaded] = await Promise.all([
		page.waitForResponse(/\/upload-images$/),
		page.keyboard.press("Enter"),
	]);
	assert.equal(uploaded.status(), 200);
	const { images } = await uploaded.json();
	if (site.exact)
		assert.equal(images[0].data,
			`data:image/png;base64,${PICTURE.toString("base64")}`);
	await page.getByText("Invalid API key").first().waitFor();
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
	["files", openFile],
	["source-control", sourceControl],
	["shell", shell],
	["resize", resize],
	["settings", settings],
	["chat", chat],
];

// What the app says on the console when nobody stands in front of it.
export const QUIET = [
	...QUIET_TERMINAL,
	/^warning: <meta name="apple-mobile-web-app-capable" content="yes"> is deprecated/,
	// A host that cannot be reached from a test.
	/^error: Failed to load resource: net::ERR_(FAILED|NAME_NOT_RESOLVED) \(https:\/\/api\.github\.com\//,
];

export const REFUSED = [];
