// A test with processes and files of its own, all of which end with it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Process } from "./process.mjs";

const LINES_SHOWN = 200;

// What a test holds, ended in reverse order.
export class Stage {
	constructor() {
		this.ends = [];
		this.processes = [];
	}

	// Call the function when the test is over.
	atEnd(end) {
		this.ends.push(end);
	}

	async directory(parent = tmpdir()) {
		const path = await mkdtemp(join(parent, "tetherd-test-"));
		this.atEnd(() => rm(path, { recursive: true, force: true }));
		return path;
	}

	start(name, file, args, options) {
		const child = new Process(name, file, args, options);
		this.processes.push(child);
		this.atEnd(() => child.stop());
		return child;
	}

	async end() {
		const errors = [];
		for (const end of this.ends.reverse())
			await Promise.resolve().then(end)
				.catch((error) => errors.push(error));
		this.ends = [];
		if (errors.length > 0)
			throw errors[0];
	}

	// The output of all processes, for a failure's report.
	report() {
		return this.processes.map(({ name, pid, lines }) =>
			[`--- ${name} (pid ${pid})`, ...lines.slice(-LINES_SHOWN)]
				.join("\n")).join("\n");
	}
}

// test() of node:test, but the function gets a Stage, and a failure carries
// what the processes printed.
export function scenario(name, options, body) {
	if (typeof options === "function")
		[options, body] = [{}, options];
	return test(name, { timeout: 120000, ...options }, async (t) => {
		const stage = new Stage();
		const failures = [];

		await Promise.resolve().then(() => body(stage, t))
			.catch((error) => failures.push(error));
		await stage.end().catch((error) => failures.push(error));
		if (failures.length === 0)
			return;
		const [error] = failures;
		const text = `${error.message}\n${stage.report()}`;
		Object.defineProperty(error, "message", { value: text });
		error.stack = `${text}\n${error.stack}`;
		throw error;
	});
}
