// Bounds for waiting: every wait of a test has one.

// The promise, or an error with the text when it takes longer.
export function deadline(promise, ms, text) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() =>
			reject(new Error(`${text} (${ms} ms)`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Until the function returns something true, asked every few milliseconds:
// for states outside of our processes that nothing announces.
export async function until(probe, text, ms = 15000) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await probe();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`${text} (${ms} ms)`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

// A queue that one side fills and the other waits on.
export class Queue {
	constructor(name) {
		this.name = name;
		this.items = [];
		this.waiting = [];
	}

	push(item) {
		const at = this.waiting.findIndex(({ wanted }) => wanted(item));
		if (at < 0)
			this.items.push(item);
		else
			this.waiting.splice(at, 1)[0].resolve(item);
	}

	// The next one that is wanted; others stay for later calls.
	async next(wanted = () => true, timeout = 15000) {
		const at = this.items.findIndex(wanted);
		if (at >= 0)
			return this.items.splice(at, 1)[0];
		const entry = { wanted };
		const promise = new Promise((resolve) => {
			entry.resolve = resolve;
		});
		this.waiting.push(entry);
		try {
			return await deadline(promise, timeout,
				`${this.name}: nothing came`);
		} finally {
			this.waiting = this.waiting.filter((e) => e !== entry);
		}
	}

	get length() {
		return this.items.length;
	}
}
