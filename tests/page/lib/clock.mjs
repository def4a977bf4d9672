// Time that passes when a test says so.

export class Clock {
	#now = 1_000_000;
	#timers = new Map();
	#nextId = 1;

	globals() {
		const clock = this;
		return {
			setTimeout: (callback, delay = 0) => {
				const id = this.#nextId++;
				this.#timers.set(id, { callback,
					at: this.#now + Math.max(0, delay) });
				return id;
			},
			clearTimeout: (id) => {
				this.#timers.delete(id);
			},
			Date: class extends Date {
				static now() {
					return clock.#now;
				}
			},
		};
	}

	get now() {
		return this.#now;
	}

	// Runs what is due, in order, and all that follows from it.
	async advance(time) {
		const end = this.#now + time;

		await settle();
		for (;;) {
			const [id, timer] = [...this.#timers].sort(([, a], [, b]) =>
				a.at - b.at)[0] ?? [];
			if (timer === undefined || timer.at > end)
				break;
			this.#timers.delete(id);
			this.#now = timer.at;
			timer.callback();
			await settle();
		}
		this.#now = end;
	}
}

// Lets promises come to rest, those of blobs and streams included.
export async function settle() {
	for (let i = 0; i < 3; i++)
		await new Promise((done) => setImmediate(done));
}
