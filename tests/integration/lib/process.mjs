// Child processes of a test: their lines, and their end.

import { spawn } from "node:child_process";

import { deadline } from "./time.mjs";

const KILL_AFTER = 6000;
const running = new Set();

// Whatever ends this run of tests, nothing that it started outlives it.
process.on("exit", () => {
	for (const child of running)
		child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, () => process.exit(1));

export class Process {
	// options: cwd, env (nothing is inherited)
	constructor(name, file, args, options = {}) {
		this.name = name;
		this.lines = []; // of standard output and error, in order
		this.exited = false;
		this.waiting = new Set();
		this.child = spawn(file, args, {
			...options,
			env: options.env ?? {},
			stdio: ["ignore", "pipe", "pipe"],
		});
		running.add(this.child);
		this.exit = new Promise((resolve) => {
			this.child.on("error", (error) => {
				this.take(`(${error.message})`);
				this.end(resolve, { code: null, error });
			});
			this.child.on("close", (code, signal) =>
				this.end(resolve, { code, signal }));
		});
		for (const stream of [this.child.stdout, this.child.stderr])
			this.split(stream);
	}

	get pid() {
		return this.child.pid;
	}

	// The longest wait for a line, or for the end.
	static timeout = 15000;

	// The first line, of those that are there and those to come, that has
	// the text or matches the expression; from: how many to leave out.
	async line(wanted, { from = 0, timeout = Process.timeout } = {}) {
		let at = from;
		const find = () => {
			for (; at < this.lines.length; at++)
				if (matches(this.lines[at], wanted))
					return this.lines[at];
			return null;
		};
		const found = find();
		if (found !== null)
			return found;
		return deadline(new Promise((resolve, reject) => {
			const look = () => {
				const line = find();
				if (line === null && !this.exited)
					return;
				this.waiting.delete(look);
				if (line !== null)
					resolve(line);
				else
					reject(new Error(`${this.name} ended ` +
						`without the line ${wanted}`));
			};
			this.waiting.add(look);
			look();
		}), timeout, `${this.name}: no line ${wanted}`);
	}

	// All lines so far that have the text or match the expression.
	all(wanted) {
		return this.lines.filter((line) => matches(line, wanted));
	}

	signal(name) {
		this.child.kill(name);
	}

	// Wait for the end: { code, signal }.
	async ended(timeout = Process.timeout) {
		return deadline(this.exit, timeout, `${this.name} did not end`);
	}

	// End it, if it has not ended; a process that must be killed is an error.
	async stop() {
		if (this.exited)
			return;
		this.child.kill("SIGTERM");
		try {
			await deadline(this.exit, KILL_AFTER, "");
		} catch {
			this.child.kill("SIGKILL");
			await this.exit;
			throw new Error(`${this.name} did not end within ` +
				`${KILL_AFTER} ms of SIGTERM`);
		}
	}

	split(stream) {
		let rest = "";
		stream.setEncoding("utf8");
		stream.on("data", (text) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop();
			for (const line of lines)
				this.take(line);
		});
		stream.on("end", () => {
			if (rest !== "")
				this.take(rest);
		});
	}

	take(line) {
		this.lines.push(line);
		for (const look of [...this.waiting])
			look();
	}

	end(resolve, how) {
		this.exited = true;
		running.delete(this.child);
		resolve(how);
		for (const look of [...this.waiting])
			look();
	}
}

function matches(line, wanted) {
	return typeof wanted === "string"
		? line.includes(wanted) : wanted.test(line);
}
