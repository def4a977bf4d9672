// Both real apps for somebody who may only look: all of it can be seen, and
// what cannot be done is said.

import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";

import { startConf } from "../integration/lib/conf-file.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { until } from "../integration/lib/time.mjs";
import { visible } from "./lib/common-steps.mjs";
import { NEEDLE, README } from "./lib/home.mjs";
import { startSites, visit } from "./lib/site.mjs";

const REFUSED = "Refused: your access is read-only. Ask the operator of " +
	"this instance for full access: policy users, or tetherctl users role " +
	"LOGIN full.";
const LINE = "One line more.";

// What the apps say of refusals; both ask for their commands by POST.
const QUIET = [
	/^error: Failed to load resource: .* status of 403 /,
	/^error: Error fetching slash commands: /,
	/^error: .*your access is read-only/,
];

const named = (page, role, name) =>
	visible(page.getByRole(role, { name, exact: true }));
const message = (page) =>
	page.getByRole("textbox", { name: /Type \/ for commands/ });

// Nothing in the page can look into it, but what reads the page out can.
async function notices(page) {
	const cdp = await page.context().newCDPSession(page);
	const { nodes } = await cdp.send("Accessibility.getFullAXTree");

	await cdp.detach();
	const byId = new Map(nodes.map((node) => [node.nodeId, node]));
	const textOf = ({ role, name, childIds = [] }) =>
		role?.value === "StaticText" ? name.value :
			childIds.map((id) => textOf(byId.get(id))).join("");
	return nodes.filter(({ role }) => role?.value === "alert").map(textOf)
		.filter((text) => text.startsWith("Refused: "));
}

// It comes, and goes when that is wanted.
async function noticed(page) {
	await until(async () => (await notices(page)).length > 0,
		"no notice", 20000);
	assert.deepEqual(await notices(page), [REFUSED]);
}

const gone = (page) => until(async () => (await notices(page)).length === 0,
	"the notice stays", 20000);

async function refused(page, act) {
	await gone(page);
	await act();
	await noticed(page);
}

async function edit(site, page, save) {
	await visible(page.getByText("README.md", { exact: true })).click();
	const editor = page.locator(".cm-content");
	await editor.getByText("A line of the sample project.").waitFor();
	await editor.click();
	await page.keyboard.press("Control+End");
	await page.keyboard.type("Zoë was here.");
	await refused(page, save);
	assert.equal(await readFile(join(site.app.home, "sample/README.md"),
		"utf8"), `${README}${LINE}\n`);
	await named(page, "button", "Close").first().click();
}

async function say(site, page) {
	await message(page).fill("What about 6*7?");
	await page.keyboard.press("Enter");
}

// The old app has a shell read what it hands to git.
async function shell(site, page) {
	const made = join(site.app.home, "made");
	const status = await page.evaluate(async (file) => {
		const commit = encodeURIComponent(`HEAD;touch ${file}`);
		const project = encodeURIComponent(
			file.slice(0, -"/made".length).replaceAll("/", "-"));
		return (await fetch("/api/git/commit-diff?" +
			`project=${project}&commit=${commit}`)).status;
	}, made);

	assert.equal(status, 403);
	await assert.rejects(access(made), { code: "ENOENT" });
}

const OLD = [
	["message", async (site, page) => {
		await refused(page, () => say(site, page));
		// Nothing is waited for.
		await message(page).fill("And now?");
		await visible(page.getByText(/esc to stop|Processing/))
			.waitFor({ state: "detached" });
		await visible(page.getByText(NEEDLE)).first().waitFor();
	}],
	["file", async (site, page) => {
		await named(page, "button", "Files").click();
		await edit(site, page, () =>
			named(page, "button", "Save").click());
	}],
	["terminal", async (site, page) => {
		await named(page, "button", "Shell").click();
		await refused(page, () =>
			named(page, "button", "Continue in Shell").click());
	}],
	["shell", (site, page) => refused(page, () => shell(site, page))],
];

const NEW = [
	["message", async (site, page) => {
		await refused(page, () => say(site, page));
		await visible(page.getByText(/^your access is read-only/))
			.first().waitFor();
		await visible(page.getByText(NEEDLE)).first().waitFor();
	}],
	["file", async (site, page) => {
		await named(page, "tab", "Files").click();
		await edit(site, page, () => page.keyboard.press("Control+S"));
	}],
	["terminal", async (site, page) => {
		await gone(page);
		await named(page, "tab", "Shell").click();
		await noticed(page);
	}],
];

for (const [appName, steps] of Object.entries({ old: OLD, new: NEW }))
	for (const hubArgs of [[], ["--duratii"]])
		scenario(`the ${appName} app, read-only, behind tether-hub ` +
			hubArgs, { timeout: 240000 }, async (stage) => {
			const { args } = await startConf(stage,
				"policy { read-only users { octocat } }\n");
			const [site] = await startSites(stage, [appName], {
				name: `${appName}-read-only${hubArgs}`, hubArgs, args,
				refused: [/^403 (POST|PUT|PATCH|DELETE) /,
					/^403 GET .*commit-diff/],
				quiet: QUIET,
			});
			const first = site.steps.filter(([name]) =>
				["enter", "conversation"].includes(name));
			await visit(site, [...first, ...steps]);
			assert.equal(site.app.all("Shell client connected").length, 0);
		});
