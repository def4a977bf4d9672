// Frames of RFC 6455, made by hand so that they may be wrong, and read.

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

function lengthOf(n, form) {
	if (form === 7 || (form === undefined && n < 126))
		return Buffer.from([n]);
	if (form === 16 || (form === undefined && n < 65536)) {
		const length = Buffer.from([126, 0, 0]);
		length.writeUInt16BE(n, 1);
		return length;
	}
	const length = Buffer.alloc(9, 0);
	length[0] = 127;
	length.writeBigUInt64BE(BigInt(n), 1);
	return length;
}

function applyMask(payload, mask) {
	const out = Buffer.allocUnsafe(payload.length);
	for (let i = 0; i < payload.length; i++)
		out[i] = payload[i] ^ mask[i & 3];
	return out;
}

/*
 * options:
 *	fin	true if absent
 *	rsv	the reserved bits, 0 to 7
 *	mask	four octets; absent: none
 *	form	of the length: 7, 16 or 64 bits, the shortest if absent
 */
export function frame(opcode, payload = "", options = {}) {
	const { fin = true, rsv = 0, mask, form } = options;
	const bytes = Buffer.from(payload);
	const length = lengthOf(bytes.length, form);
	const first = (fin ? 0x80 : 0) | rsv << 4 | opcode;

	if (mask === undefined)
		return Buffer.concat([Buffer.from([first]), length, bytes]);
	length[0] |= 0x80;
	return Buffer.concat([Buffer.from([first]), length, Buffer.from(mask),
		applyMask(bytes, mask)]);
}

// A close frame; without a code it is empty.
export function closeFrame(code, reason = "", options = {}) {
	if (code === undefined)
		return frame(CLOSE, "", options);
	const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
	payload.writeUInt16BE(code);
	return frame(CLOSE, payload, options);
}

// Feed it with what comes, in whatever pieces; it calls take(frame) with
// { fin, rsv, opcode, mask (or null), shortest, payload }.
export class FrameReader {
	constructor(take) {
		this.take = take;
		this.pieces = [];
		this.length = 0;
		this.wanted = 2;
	}

	feed(data) {
		this.pieces.push(data);
		this.length += data.length;
		if (this.length < this.wanted)
			return;
		const all = Buffer.concat(this.pieces);
		let at = 0;
		for (;;) {
			const size = this.read(all.subarray(at));
			if (size === 0)
				break;
			at += size;
		}
		this.pieces = [all.subarray(at)];
		this.length = all.length - at;
	}

	// The size of the frame that the buffer begins with; 0 if it is cut,
	// and then wanted says how much of it is wanted.
	read(buffer) {
		this.wanted = 2;
		if (buffer.length < 2)
			return 0;
		const masked = (buffer[1] & 0x80) !== 0;
		const short = buffer[1] & 0x7f;
		const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
		const head = 2 + extra + (masked ? 4 : 0);
		this.wanted = head;
		if (buffer.length < head)
			return 0;
		const length = extra === 0 ? short : extra === 2
			? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
		this.wanted = head + length;
		if (buffer.length < this.wanted)
			return 0;
		const mask = masked ? buffer.subarray(head - 4, head) : null;
		const payload = buffer.subarray(head, head + length);
		this.take({
			fin: (buffer[0] & 0x80) !== 0,
			rsv: buffer[0] >> 4 & 7,
			opcode: buffer[0] & 15,
			mask: masked ? Buffer.from(mask) : null,
			shortest: extra === 0 || length > (extra === 2 ? 125 : 65535),
			payload: masked ? applyMask(payload, mask)
				: Buffer.from(payload),
		});
		return head + length;
	}
}
