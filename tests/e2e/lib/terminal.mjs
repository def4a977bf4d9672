// The terminal of either app, which both take from the same library.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { until } from "../../integration/lib/time.mjs";

// What it says on the console on a slow machine.
export const QUIET = [
	/^warning: task queue exceeded allotted deadline by /,
];

export class Terminal {
	constructor(page) {
		this.page = page;
		this.rows = page.locator(".xterm-rows");
	}

	// What is on the screen, once the expression matches it.
	async see(expression, timeout = 30000) {
		const match = await this.page.waitForFunction(
			({ source }) => {
				const rows = document.querySelector(".xterm-rows");
				const text = [...rows?.children ?? []]
					.map((row) => row.textContent).join("\n");
				return text.match(new RegExp(source));
			}, { source: expression.source }, { timeout });
		return match.jsonValue();
	}

	async type(command) {
		await this.page.getByRole("textbox", { name: "Terminal input" })
			.focus();
		await this.page.keyboard.type(`${command}\n`);
	}

	// Type a line, and wait for what it prints.
	async run(command, expression, timeout) {
		await this.type(command);
		return this.see(expression, timeout);
	}
}

// What a terminal must be able to do, from its prompt on.
export async function tryTerminal(page) {
	const terminal = new Terminal(page);

	await terminal.see(/\$ /);
	await terminal.run("echo $((6*7))-sum", /42-sum/);
	await terminal.run("printf 'h\\303\\244llo \\342\\202\\254\\n'", /hällo €/);
	await terminal.run("head -c 1000000 /dev/zero | tr '\\0' x | fold -w 99; " +
		"echo end-$((6*7))", /end-42/, 60000);
	await terminal.run("echo still-$((6*7))", /still-42/);
}

/*
 * The shell learns of a change of the window.  notice: what a person does to
 * make the app look
 */
export async function tryResize(site, page, notice = () => {}) {
	const terminal = new Terminal(page);
	const path = join(site.app.home, "size");
	const { width, height } = page.viewportSize();
	// By way of a file, for the old app does not always scroll then.
	const size = async () => {
		await rm(path, { force: true });
		await terminal.type('stty size >"$HOME/size.new" && ' +
			'mv "$HOME/size.new" "$HOME/size"');
		return until(() => readFile(path, "utf8").catch(() => null),
			"the shell does not answer");
	};

	const before = await size();
	await page.setViewportSize({ width: width + 300, height: height + 200 });
	await notice();
	await until(async () => await size() !== before,
		"the shell does not learn of its new size");
	await page.setViewportSize({ width, height });
}
