// WebSockets: their ends.  Each row runs in the page.

export const CLOSING_ROWS = {
	"bufferedAmount after close": async (row) => {
		const socket = row.socket("/ws/echo");
		await row.once(socket, "open");
		socket.close();
		for (const value of ["abc", "", "x".repeat(126),
			"x".repeat(70000),
			new Uint8Array(5), new Blob(["1"])]) {
			row.attempt("send", () => socket.send(value));
			row.log(socket.bufferedAmount);
		}
		await row.once(socket, "close");
		row.log(socket.bufferedAmount);
		row.attempt("send", () => socket.send("d"));
		row.log(socket.bufferedAmount);
	},
	"the server closes": async (row) => {
		for (const query of ["", "?code=1000", "?code=1000&reason=bye",
			"?code=1001", "?code=1008&reason=%C3%A9%E2%82%AC",
			"?code=1011", "?code=1012", "?code=1013", "?code=3000",
			"?code=4999&reason=x",
			`?code=4001&reason=${"r".repeat(123)}`]) {
			const socket = row.socket(`/ws/close${query}`);
			await row.once(socket, "close");
			row.log(query, socket.readyState);
		}
	},
	"the server closes later": async (row) => {
		const socket =
			row.socket(`/ws/closeafter?code=4000&key=${row.key}`);
		await row.once(socket, "open");
		socket.send("now");
		await row.once(socket, "close");
		const last = row.socket("/ws/closewith");
		await row.once(last, "close");
		await row.seen(2);
	},
	"the connection breaks": async (row) => {
		const socket = row.socket("/ws/terminateafter");
		await row.once(socket, "open");
		socket.send("now");
		await row.once(socket, "close");
		const early = row.socket("/ws/terminate");
		await row.once(early, "close");
	},
	"the page closes": async (row) => {
		let i = 0;
		for (const args of [[], [1000], [3000], [4999, "é€"],
			[undefined], [1000, undefined], [1000, ""],
			[4000, "r".repeat(123)], ["4001"], [4002.4],
			[4003, { toString: () => "o" }], [4000, "\ud800"],
			[1000, null]]) {
			const key = `${row.key}-${i++}`;
			const socket = row.socket(`/ws/echo?key=${key}`);
			await row.once(socket, "open");
			row.attempt("close", () => socket.close(...args));
			row.log(socket.readyState);
			await row.once(socket, "close");
			const own = row.key;
			row.key = key;
			await row.seen(1);
			row.key = own;
		}
	},
	"what close does not take": async (row) => {
		const socket = row.socket("/ws/echo");
		const bad = () => {
			for (const args of [[0], [999], [1001], [1005], [1006],
				[2999],
				[5000], [70000], [-1], [NaN], ["x"], [null],
				[65536 + 3000], [2999.4], [undefined, "x"],
				[1000, "r".repeat(124)], [1000, "€".repeat(42)],
				[undefined, "r".repeat(200)], [Symbol("x")],
				[1001, "r".repeat(200)], [1000, Symbol("x")],
				[Infinity]])
				row.attempt(args.map(String).join(" "), () =>
					socket.close(...args));
			row.log(socket.readyState);
		};
		bad();
		await row.once(socket, "open");
		bad();
		socket.close();
		bad();
		await row.once(socket, "close");
		bad();
	},
	"close while connecting": async (row) => {
		const socket = row.socket(`/ws/echo?key=${row.key}`);
		socket.close(4000, "early");
		row.log(socket.readyState);
		row.attempt("send", () => socket.send("x"));
		row.log(socket.bufferedAmount);
		socket.close();
		await row.once(socket, "close");
		row.log(socket.readyState);
		const hanging = row.socket("/ws/hang");
		row.attempt("send", () => hanging.send("x"));
		row.attempt("send nothing", () => hanging.send());
		await row.wait(100);
		row.log(hanging.readyState);
		hanging.close();
		await row.once(hanging, "close");
	},
	"close twice, and after the end": async (row) => {
		const socket = row.socket("/ws/echo");
		await row.once(socket, "open");
		socket.close(3001, "first");
		socket.close(3002, "second");
		row.attempt("send", () => socket.send("late"));
		await row.once(socket, "close");
		row.attempt("close", () => socket.close(3003));
		await row.wait(50);
		row.log(socket.readyState);
	},
	"close within handlers": async (row) => {
		const socket = row.socket("/ws/greet");
		socket.onopen = () => socket.close(3000, "in open");
		await row.once(socket, "close");
		const other = row.socket("/ws/greet");
		other.onmessage = () => {
			other.close();
			row.log("closing", other.readyState);
		};
		await row.once(other, "close");
		const third = row.socket("/ws/close?code=4000");
		third.onclose = () => {
			row.attempt("close", () => third.close());
			row.attempt("send", () => third.send("x"));
			row.log("in close", third.readyState,
				third.bufferedAmount);
		};
		await row.once(third, "close");
	},
	"what is sent before close arrives": async (row) => {
		const socket = row.socket(`/ws/echo?key=${row.key}`);
		await row.once(socket, "open");
		for (let i = 0; i < 20; i++)
			socket.send("x".repeat(i * 1000));
		socket.close(4000, "done");
		await row.once(socket, "close");
		await row.seen(21);
	},
	"refusals": async (row) => {
		for (const path of ["refuse", "refuse?status=401", "drop",
			"garbage", "refuse?status=302"]) {
			const socket = row.socket(`/ws/${path}`);
			await row.once(socket, "close");
			row.log(path, socket.readyState, socket.bufferedAmount);
			await row.wait(10);
		}
	},
	"frames that may not be": async (row) => {
		for (const what of ["badtext", "reserved", "opcode",
			"halfclose", "badcode", "unfinished"]) {
			const socket = row.socket(`/ws/raw?what=${what}`);
			row.log(what);
			await row.once(socket, "close");
		}
	},
};
