// WebSockets: messages, there and back.  Each row runs in the page.

export const MESSAGE_ROWS = {
	"text, there and back": async (row) => {
		const socket = row.socket("/ws/echo");
		await row.once(socket, "open");
		const values = ["a", "", "é€\u{1f600}\0", "\ud800x\udc00", 5,
			null,
			undefined, {}, [1, 2], true, new String("s"), 1n,
			{ toString: () => "mine" }, "\ufeffx",
			"x".repeat(65536),
			new URLSearchParams("a=b")];
		const all = row.messages(socket, values.length);
		for (const value of values)
			socket.send(value);
		row.attempt("symbol", () => socket.send(Symbol("x")));
		row.attempt("nothing", () => socket.send());
		row.attempt("throws", () => socket.send({ toString() {
			throw new RangeError("mine");
		} }));
		row.attempt("returns", () => socket.send("", 2));
		await all;
		await row.wait(50);
	},
	"bytes, there and back": async (row) => {
		for (const type of ["blob", "arraybuffer"]) {
			const socket = row.socket("/ws/echo");
			socket.binaryType = type;
			await row.once(socket, "open");
			const buffer = new Uint8Array([9, 1, 2, 3, 4, 5, 6, 7]);
			const values = [buffer, buffer.buffer,
				buffer.subarray(2, 5),
				new DataView(buffer.buffer, 1, 2),
				new Uint16Array(buffer.buffer),
				new Uint8Array(0),
				new Blob(["abc"], { type: "text/plain" }),
				new Blob([]),
				new File(["file"], "name"), "between",
				new Float64Array([1.5]),
				new Uint8Array(200000)];
			const all = row.messages(socket, values.length);
			for (const value of values)
				socket.send(value);
			buffer.fill(0); // sent is sent
			await all;
			socket.close();
			await row.once(socket, "close");
		}
	},
	"shared and detached memory": async (row) => {
		const socket = row.socket("/ws/echo");
		await row.once(socket, "open");
		const memory = new WebAssembly.Memory(
			{ initial: 1, maximum: 1, shared: true });
		row.attempt("shared", () => socket.send(memory.buffer));
		row.attempt("shared view", () =>
			socket.send(new Uint8Array(memory.buffer, 0, 3)));
		const gone = new Uint8Array(4);
		structuredClone(gone.buffer, { transfer: [gone.buffer] });
		row.attempt("detached", () => socket.send(gone));
		row.attempt("detached buffer", () => socket.send(gone.buffer));
		socket.send("end");
		await row.last(socket);
	},
	"messages come after open, in their order": async (row) => {
		const socket = row.socket("/ws/greet");
		await row.messages(socket, 2);
		socket.send("x");
		await row.messages(socket);
	},
	"big messages of the server": async (row) => {
		for (const type of ["blob", "arraybuffer"]) {
			const socket = row.socket("/ws/big");
			socket.binaryType = type;
			await row.messages(socket, 2);
			socket.close();
			await row.once(socket, "close");
		}
	},
	"big messages of the page": async (row) => {
		const socket = row.socket(`/ws/sized?key=${row.key}`);
		await row.once(socket, "open");
		socket.send("€".repeat(1 << 20));
		socket.send(new Uint8Array(3 << 20));
		socket.send(new Blob([new Uint8Array(1 << 20), "x"]));
		socket.send("small");
		socket.close(3000, "all");
		row.log(socket.bufferedAmount);
		await row.once(socket, "close");
		await row.seen(5);
	},
	"bufferedAmount": async (row) => {
		const socket = new WebSocket("/ws/sized");
		row.atEnd(() => socket.close());
		row.log(socket.bufferedAmount);
		await row.once(socket, "open");
		const empty = async () => {
			for (let i = 0; socket.bufferedAmount > 0 &&
				i < 500; i++)
				await row.wait(10);
			row.log("then", socket.bufferedAmount);
		};
		for (const value of ["abc", "é€\u{1f600}", "\ud800",
			new Uint8Array(10), new Blob(["12345"]), "",
			"x".repeat(1e6)]) {
			socket.send(value);
			row.log(socket.bufferedAmount);
			await empty();
		}
		socket.send("a");
		socket.send("bc");
		row.log(socket.bufferedAmount);
		await empty();
	},
	"many small messages": async (row) => {
		const socket = row.socket("/ws/many");
		await row.once(socket, "close");
	},
	"empty messages": async (row) => {
		const socket = row.socket("/ws/empties");
		await row.messages(socket, 3);
	},
	"characters across pieces": async (row) => {
		const socket = row.socket("/ws/awkward");
		await row.messages(socket);
		const text = "y".repeat(65534) +
			"\u{1f600}é\0€".repeat(40000);
		const back = row.socket("/ws/echo");
		await row.once(back, "open");
		back.send(text);
		back.addEventListener("message", ({ data }) =>
			row.log("same", data === text));
		await row.messages(back);
	},
	"fragments": async (row) => {
		const socket = row.socket("/ws/fragments");
		await row.messages(socket, 2);
		const split = row.socket("/ws/split");
		await row.messages(split);
	},
	"a ping of the server": async (row) => {
		const socket = row.socket("/ws/ping");
		await row.messages(socket);
	},
};
