// What the WebSockets of the compared web app do, by their path below /ws/.

const MIB = 1048576;

// Text whose characters of two, three and four bytes, and NULs, lie across
// every boundary that a carrier may cut at.
const awkwardText = (size) =>
	"x".repeat(65533) + "\u{1f600}\0".repeat(size / 6) + "é€\0";

const HTTP = {
	refuse: (socket, query) => socket.end("HTTP/1.1 " +
		`${query.get("status") ?? 403} No\r\nContent-Length: 0\r\n\r\n`),
	hang: () => {},
	drop: (socket) => socket.destroy(),
	garbage: (socket) => socket.end("no HTTP at all\r\n\r\n"),
};

// A frame whose first byte and payload are given, unmasked.
const frame = (first, payload = Buffer.alloc(0)) =>
	Buffer.concat([Buffer.from([first, payload.length]), payload]);

const RAW = {
	badtext: frame(0x81, Buffer.from([0xc3, 0x28])),
	reserved: frame(0xf1, Buffer.from("x")),
	opcode: frame(0x83),
	halfclose: frame(0x88, Buffer.from([3])),
	badcode: frame(0x88, Buffer.from([3, 237])), // 1005
	unfinished: frame(0x80, Buffer.from("x")),
};

const SOCKETS = {
	echo: (ws) => ws.on("message", (data, binary) =>
		ws.send(data, { binary })),
	greet(ws) {
		ws.send("hello");
		ws.send(Buffer.from([1, 2, 3]));
		SOCKETS.echo(ws);
	},
	close: (ws, query) => query.has("code") ?
		ws.close(Number(query.get("code")), query.get("reason") ?? "") :
		ws.close(),
	closeafter: (ws, query) => ws.on("message", () =>
		SOCKETS.close(ws, query)),
	closewith(ws) {
		ws.send("last");
		ws.close(4001, "words");
	},
	terminate: (ws) => ws.terminate(),
	terminateafter: (ws) => ws.on("message", () => ws.terminate()),
	sized: (ws) => ws.on("message", (data, binary) =>
		ws.send(`${binary ? "binary" : "text"} ${data.length}`)),
	big(ws) {
		ws.send("0123456789".repeat(MIB / 2));
		ws.send(Buffer.alloc(5 * MIB, "0123456789a"));
	},
	many(ws) {
		for (let i = 0; i < 2000; i++)
			ws.send(i % 3 === 0 ? Buffer.from(`m${i}`) : `m${i}`,
				{ binary: i % 3 === 0 });
		ws.close(1000, "that was it");
	},
	empties(ws) {
		ws.send("");
		ws.send(Buffer.alloc(0));
		ws.send("", { fin: false });
		ws.send("", { fin: true });
	},
	awkward: (ws) => ws.send(awkwardText(600000)),
	fragments(ws) {
		for (let i = 0; i < 9; i++) {
			ws.send("€".repeat(30001), { fin: false });
			if (i === 4)
				ws.ping("between");
		}
		ws.send("end");
		ws.send(Buffer.alloc(70000, 1), { fin: false });
		ws.send(Buffer.alloc(70000, 2), { fin: true });
	},
	split(ws) {
		// A character in two frames.
		ws._socket.write(Buffer.concat([
			frame(0x01, Buffer.from([0x61, 0xe2, 0x82])),
			frame(0x80, Buffer.from([0xac, 0x62]))]));
	},
	ping(ws) {
		ws.on("pong", (data) => ws.send(`pong ${data}`));
		ws.ping("abc");
	},
	raw(ws, query) {
		ws.send("first");
		ws._socket.write(RAW[query.get("what")]);
	},
	protocol: (ws, query, req) => ws.send("offered " +
		`${req.headers["sec-websocket-protocol"]}`),
	target(ws, query, req) {
		ws.send(req.url.replace(/[?&]token=[^&]*/, ""));
	},
};

// What the web app's side learns.
function watch(ws, log) {
	ws.on("message", (data) => log.push(["message", data.length]));
	ws.on("error", () => {});
	ws.on("close", (code, reason) =>
		log.push(["close", code, `${reason}`]));
}

export function behaviours(upstream, wss) {
	return { upgrade(req, socket, head) {
		const url = new URL(req.url, "http://upstream");
		const query = url.searchParams;
		const name = url.pathname.replace(/^\/ws\//, "");

		if (HTTP[name])
			return HTTP[name](socket, query);
		if (!SOCKETS[name])
			return HTTP.refuse(socket,
			new URLSearchParams("status=404"));
		wss.handleUpgrade(req, socket, head, (ws) => {
			const log = [];
			if (query.has("key"))
				upstream.seen.set(query.get("key"), log);
			watch(ws, log);
			SOCKETS[name](ws, query, req);
		});
	} };
}
