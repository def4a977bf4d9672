// What the event streams of the compared web app do, by their path.

const HEAD = { "Content-Type": "text/event-stream",
	"Cache-Control": "no-cache" };

// Pieces that are bodies of their own on the way, with some time between.
async function trickle(res, pieces, end = true) {
	const pause = pieces.length > 9 ? 1 : 30;

	for (const piece of pieces) {
		res.write(piece);
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
	if (end)
		res.end();
}

const TEXTS = {
	plain: "data: one\n\ndata: two\ndata: lines\n\ndata\n\ndata:\n\n" +
		"data:x\n\ndata:  y\n\n: a comment\ndata: end\n\n",
	named: "event: tick\ndata: 1\n\nevent: message\ndata: 2\n\n" +
		"event:\ndata: 3\n\nevent: lost\n\ndata: 4\n\n" +
		"event: open\ndata: 5\n\nevent: error\ndata: 6\n\n" +
		"event: end\ndata: 7\n\ndata: end\n\n",
	ids: "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: x\0y\ndata: d\n\n" +
		"id: é€\ndata: e\n\nid: 9\n\ndata: f\n\ndata: end\n\n",
	crlf: "data: a\r\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\n" +
		"data: end\r\n\r\n",
	bom: "\ufeffdata: a\n\n\ufeffdata: b\n\ndata: end\n\n",
	unknown: "data: a\nfoo: bar\nDATA: c\n data: d\n:data: e\n::\n\n" +
		"data : f\n\ndata: end\n\n",
	unfinished: "data: a\n\ndata: end\n\ndata: not sent\n",
	nul: "data: a\0b\n\ndata: \u{1f600}\n\ndata: end\n\n",
};

const bytes = (text) => [...Buffer.from(text)].map((b) => Buffer.from([b]));

export function endpoints(upstream) {
	// How often each key came.
	const turns = new Map();
	const turn = (query) => {
		const key = query.get("key");
		turns.set(key, (turns.get(key) ?? 0) + 1);
		return turns.get(key);
	};

	return {
		// A text of those, which stays open; bytewise if asked.
		"/es/text": (req, res, query) => {
			res.writeHead(200, HEAD);
			const text = TEXTS[query.get("name")];
			trickle(res, query.has("bytewise") ? bytes(text) :
				[text],
				query.has("ends"));
		},
		"/es/utf8": (req, res) => {
			res.writeHead(200, HEAD);
			const all = Buffer.from("data: €\u{1f600}é\n\ndata: " +
				"bad \u0000\n\ndata: end\n\n");
			all[all.indexOf(0)] = 0xff;
			trickle(res, [all.subarray(0, 7), all.subarray(7, 8),
				all.subarray(8, 11), all.subarray(11)], false);
		},
		// Ends; then says what it is told; then is no more.
		"/es/again": (req, res, query) => {
			const n = turn(query);
			if (n === 3) {
				res.writeHead(204);
				res.end();
				return;
			}
			res.writeHead(200, HEAD);
			const { accept, "last-event-id": id,
				"cache-control": cache } = req.headers;
			const said = JSON.stringify([accept, cache,
				id && Buffer.from(id, "latin1").toString()]);
			trickle(res,
				[`retry: 300\nid: é${n}\ndata: ${said}\n\n`]);
		},
		// Breaks off in the middle of an event.
		"/es/break": async (req, res, query) => {
			if (turn(query) === 2) {
				res.writeHead(204);
				res.end();
				return;
			}
			res.writeHead(200, HEAD);
			await trickle(res, ["retry: 300\ndata: a\n\ndata: b\n"],
				false);
			res.destroy();
		},
		"/es/retry": (req, res, query) => {
			if (turn(query) === 2) {
				res.writeHead(204);
				res.end();
				return;
			}
			res.writeHead(200, HEAD);
			trickle(res, ["retry: 300\nretry: 1x\nretry: -5\n",
				"data: a\n\n"]);
		},
		"/es/status": (req, res, query) => {
			res.writeHead(Number(query.get("status")), HEAD);
			res.end("data: a\n\n");
		},
		"/es/type": (req, res, query) => {
			res.writeHead(200,
				{ "Content-Type": query.get("type") });
			res.end("data: end\n\n");
		},
		"/es/redirect": (req, res) => {
			res.writeHead(302,
				{ Location: "/es/text?name=plain" });
			res.end();
		},
		"/es/big": (req, res) => {
			res.writeHead(200, HEAD);
			trickle(res, [`data: ${"€".repeat(700000)}\n\n`,
				"data: end\n\n"], false);
		},
		"/es/never": () => {},
		"/es/many": (req, res) => {
			res.writeHead(200, HEAD);
			let text = "";
			for (let i = 0; i < 3000; i++)
				text += `id: ${i}\ndata: ${i}\n\n`;
			trickle(res, [text, "data: end\n\n"], false);
		},
	};
}
