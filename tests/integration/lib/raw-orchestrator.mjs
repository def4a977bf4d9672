// An orchestrator whose every byte is up to the test.

import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:net";

import { deadline, Queue } from "./time.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export const OPCODES = { more: 0, text: 1, binary: 2, close: 8, ping: 9,
	pong: 10 };

/*
 * The bytes of a frame.  how:
 *	fin	false: more fragments follow
 *	rsv	reserved bits, 0x40, 0x20, 0x10
 *	mask	true: masked, as a server must not
 *	length	what the header says in place of the payload's length
 *	form	bytes of the extended length (0, 2 or 8) in place of the
 *		fewest
 */
export function frame(opcode, payload = "", how = {}) {
	const data = Buffer.from(payload);
	const length = BigInt(how.length ?? data.length);
	const form = how.form ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
	const extended = Buffer.alloc(form);

	if (form === 2)
		extended.writeUInt16BE(Number(length));
	else if (form === 8)
		extended.writeBigUInt64BE(length);
	return Buffer.concat([
		Buffer.from([
			(how.fin ?? true ? 0x80 : 0) | (how.rsv ?? 0) | opcode,
			(how.mask ? 0x80 : 0) |
				{ 0: Number(length), 2: 126, 8: 127 }[form],
		]),
		extended,
		how.mask ? Buffer.from([0, 0, 0, 0]) : Buffer.alloc(0),
		data,
	]);
}

export const text = (message) => frame(OPCODES.text,
	typeof message === "string" ? message : JSON.stringify(message));

export function closeFrame(code, reason = "") {
	const payload = Buffer.alloc(2);
	payload.writeUInt16BE(code);
	return frame(OPCODES.close, Buffer.concat([payload, Buffer.from(reason)]));
}

// Each byte as a fragment of its own.
export function shred(payload, opcode = OPCODES.text) {
	const bytes = Buffer.from(payload);
	return [...bytes].map((byte, i) => frame(i === 0 ? opcode : OPCODES.more,
		[byte], { fin: i === bytes.length - 1 }));
}

/*
 * options:
 *	serve(connection)	when a request's head is there; absent: the
 *				upgrade is answered as it should be
 *	accept(socket)		in place of all that follows the TCP handshake
 *	register, pong		false: left to the test
 *	close			false: nobody hangs up when the instance closes
 */
export class RawOrchestrator {
	constructor(options = {}) {
		this.options = options;
		this.connections = new Queue("connections");
		this.attempts = 0; // to connect
	}

	static async start(stage, options) {
		const orchestrator = new RawOrchestrator(options);
		await orchestrator.listen(stage);
		return orchestrator;
	}

	async listen(stage) {
		const sockets = new Set();
		const server = createServer((socket) => {
			this.attempts++;
			sockets.add(socket);
			socket.setNoDelay(true);
			socket.on("close", () => sockets.delete(socket));
			socket.on("error", () => {});
			if (this.options.accept)
				this.options.accept(socket);
			else
				new RawConnection(this, socket);
		});
		await new Promise((resolve) =>
			server.listen(0, "127.0.0.1", resolve));
		this.port = server.address().port;
		this.url = `ws://127.0.0.1:${this.port}/ws/connect`;
		stage.atEnd(async () => {
			const closed = new Promise((resolve) =>
				server.close(resolve));
			sockets.forEach((socket) => socket.destroy());
			await closed;
		});
	}

	// The next instance that registered.
	async registered(timeout) {
		const connection =
			await this.connections.next(undefined, timeout);
		connection.register = await connection.receive("register");
		return connection;
	}
}

class RawConnection {
	constructor(orchestrator, socket) {
		this.orchestrator = orchestrator;
		this.options = orchestrator.options;
		this.socket = socket;
		this.input = Buffer.alloc(0);
		this.frames = new Queue("control frames of the instance");
		this.messages = new Queue("messages of the instance");
		this.parts = [];
		this.ended = new Promise((resolve) => socket.on("close", resolve));
		socket.on("data", (data) => this.take(data));
	}

	get accept() {
		return createHash("sha1").update(this.key + GUID).digest("base64");
	}

	// The head of a good answer; fields replaces or, undefined, removes.
	answer(fields = {}, line = "HTTP/1.1 101 Switching Protocols") {
		const all = { "Upgrade": "websocket", "Connection": "Upgrade",
			"Sec-WebSocket-Accept": this.accept, ...fields };
		const lines = Object.entries(all)
			.filter(([, value]) => value !== undefined)
			.map(([name, value]) => `${name}: ${value}\r\n`);
		return `${line}\r\n${lines.join("")}\r\n`;
	}

	take(data) {
		this.input = Buffer.concat([this.input, data]);
		if (this.head === undefined) {
			const end = this.input.indexOf("\r\n\r\n");
			if (end === -1)
				return;
			this.head = this.input.subarray(0, end).toString("latin1");
			this.input = this.input.subarray(end + 4);
			[, this.key] = /^sec-websocket-key: *(.*)$/im.exec(this.head);
			if (this.options.serve)
				this.options.serve(this);
			else
				this.socket.write(this.answer());
			this.orchestrator.connections.push(this);
		}
		while (this.takeFrame());
	}

	takeFrame() {
		const { input } = this;
		if (input.length < 6)
			return false;
		const short = input[1] & 0x7f;
		const at = { 126: 4, 127: 10 }[short] ?? 2;
		if (input.length < at + 4)
			return false;
		const length = short === 126 ? input.readUInt16BE(2)
			: short === 127 ? Number(input.readBigUInt64BE(2)) : short;
		const end = at + 4 + length;
		if (input.length < end)
			return false;
		const payload = Buffer.from(input.subarray(at + 4, end));
		for (let i = 0; i < length; i++)
			payload[i] ^= input[at + i % 4];
		this.input = input.subarray(end);
		this.takePayload(input[0] & 0x80, input[0] & 0x0f, payload);
		return true;
	}

	takePayload(fin, opcode, payload) {
		if (opcode >= OPCODES.close) {
			this.frames.push({ opcode, payload });
			if (opcode === OPCODES.close && this.options.close !== false)
				this.socket.end();
			return;
		}
		this.parts.push(payload);
		if (!fin)
			return;
		const message = JSON.parse(Buffer.concat(this.parts).toString());
		this.parts = [];
		if (message.type === "register" && this.options.register !== false)
			this.send({ type: "registered", success: true });
		if (message.type === "ping" && this.options.pong !== false)
			this.send({ type: "pong", client_id: message.client_id });
		this.messages.push(message);
	}

	write(bytes) {
		this.socket.write(bytes);
	}

	send(message) {
		this.write(text(message));
	}

	receive(type, timeout) {
		return this.messages.next((m) => m.type === type, timeout);
	}

	control(opcode, timeout) {
		return this.frames.next((f) => f.opcode === opcode, timeout);
	}

	// What the instance says as it closes: { code, reason }.
	async closing(timeout) {
		const { payload } = await this.control(OPCODES.close, timeout);
		return {
			code: payload.length < 2 ? null : payload.readUInt16BE(0),
			reason: payload.subarray(2).toString(),
		};
	}

	// The end of the connection.
	end(timeout = 20000) {
		return deadline(this.ended, timeout, "still connected");
	}

	// Ask for something: proof that it still serves.
	async request(members = {}) {
		const request_id = randomUUID();
		this.send({ type: "http_proxy_request", request_id,
			method: "GET", path: "/", headers: [], ...members });
		return this.messages.next((m) =>
			m.type === "http_proxy_response" &&
			m.request_id === request_id);
	}
}
