// The pieces of a tunnel or stream, put back in order.

const WINDOW = 262144;
const PIECE = 65536;
const GAP = 10_000;

const encoder = new TextEncoder();

class Arrivals {
	#next = 0;
	#held = new Map();
	#heldBytes = 0;
	#started = false;
	#gap = null;
	#fresh = 0; // bytes since the last acknowledgement
	#hooks;

	// take(piece) in order; ready(): is it time for more?; tell(n) that
	// all below n is taken; broken() once, when a piece stays away.
	constructor(hooks) {
		this.#hooks = hooks;
	}

	get complete() {
		return this.#held.size === 0;
	}

	// Nothing is taken before.
	start() {
		this.#started = true;
		this.#drain();
	}

	stop() {
		clearTimeout(this.#gap);
		this.#held.clear();
		this.#started = false;
	}

	add({ t, n, d, more }) {
		if (!Number.isInteger(n) || n < this.#next || this.#held.has(n))
			return;
		let bytes;
		try {
			bytes = t === "bin" ? fromBase64(d) : encoder.encode(d);
		} catch {
			return this.#hooks.broken();
		}
		this.#held.set(n, { bytes, more: Boolean(more),
			text: t === "bin" ? null : `${d}` });
		this.#heldBytes += bytes.length;
		this.#drain();
		if (this.#heldBytes > WINDOW)
			this.#hooks.broken();
	}

	#drain() {
		const before = this.#next;
		let piece;

		while (this.#started &&
			(piece = this.#held.get(this.#next)) !== undefined) {
			this.#held.delete(this.#next++);
			this.#heldBytes -= piece.bytes.length;
			this.#fresh += piece.bytes.length;
			this.#hooks.take(piece);
			this.acknowledge();
		}
		if (this.#next !== before || this.complete) {
			clearTimeout(this.#gap);
			this.#gap = null;
		}
		if (this.#started && !this.complete)
			this.#gap ??= setTimeout(this.#hooks.broken, GAP);
	}

	// Small rests need none.
	acknowledge() {
		if (this.#fresh < PIECE || !this.#hooks.ready())
			return;
		this.#fresh = 0;
		this.#hooks.tell(this.#next);
	}
}
