// What a page sends into a tunnel: in order, in pieces, within a window.

const space = new Uint8Array(PIECE);

// The pieces of a message.  encodeInto() does not cut characters in two, and
// no substring of that length fits if its end does.
function* textPieces(text) {
	let at = 0;

	do {
		const { read, written } = encoder.encodeInto(
			text.slice(at, at + PIECE), space);
		const d = text.slice(at, at + read);
		at += read;
		yield { payload: { d }, size: written, more: at < text.length };
	} while (at < text.length);
}

function* bytesPieces(bytes) {
	let at = 0;

	do {
		const piece = bytes.subarray(at, at + PIECE);
		at += PIECE;
		yield { payload: { b: toBase64(piece) }, size: piece.length,
			more: at < bytes.length };
	} while (at < bytes.length);
}

// Each is read when its turn comes.
function* blobPieces(blob) {
	let at = 0;

	do {
		const part = blob.slice(at, at + PIECE);
		at += PIECE;
		yield { part, size: part.size, more: at < blob.size };
	} while (at < blob.size);
}

// That wait for an acknowledgement: the instance takes not many more.
const PIECES_MAX = 256;

class Outgoing {
	buffered = 0; // bytes that are not acknowledged, sent or not
	sent = 0; // pieces
	#queue = []; // generators of pieces
	#next = null; // the piece that does not fit yet
	#outstanding = 0; // bytes
	#unanswered = 0; // pieces
	#reading = false;
	#stopped = false;
	#hooks;

	// send(payload, done): done() on acknowledgement; drained(): all is
	// sent; broken(): a blob could not be read.
	constructor(hooks) {
		this.#hooks = hooks;
	}

	add(pieces, size) {
		this.buffered += size;
		this.#queue.push(pieces);
		this.pump();
	}

	stop() {
		this.#stopped = true;
		this.#queue = [];
		this.#next = null;
	}

	#piece() {
		while (this.#next === null && this.#queue.length > 0) {
			const { value, done } = this.#queue[0].next();
			if (done)
				this.#queue.shift();
			else
				this.#next = value;
		}
		return this.#next;
	}

	pump() {
		let piece;

		while (!this.#reading && (piece = this.#piece()) !== null) {
			if (this.#unanswered === PIECES_MAX ||
			    this.#outstanding + piece.size > WINDOW)
				return;
			if (piece.part) {
				this.#read(piece);
				return;
			}
			this.#next = null;
			this.#send(piece);
		}
		if (!this.#reading && !this.#stopped)
			this.#hooks.drained();
	}

	#read(piece) {
		this.#reading = true;
		piece.part.arrayBuffer().then((buffer) => {
			const b = toBase64(new Uint8Array(buffer));
			this.#reading = false;
			if (this.#stopped)
				return;
			this.#next = null;
			this.#send({ ...piece, payload: { b } });
			this.pump();
		}, () => this.#stopped || this.#hooks.broken());
	}

	#send({ payload, size, more }) {
		const numbered = { n: this.sent++, ...payload };

		if (more)
			numbered.more = true;
		this.#outstanding += size;
		this.#unanswered++;
		this.#hooks.send(numbered, () => {
			this.#outstanding -= size;
			this.#unanswered--;
			this.buffered -= size;
			this.pump();
		});
	}
}
