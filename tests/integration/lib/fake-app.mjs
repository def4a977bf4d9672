// Either generation of the web app, as far as it tells what it works at.

import { startSocketUpstream } from "./tunnel.mjs";

const PAGE = "<!doctype html><html><head></head><body>app</body></html>";

/*
 * options:
 *	kind		"new" or "old"
 *	answer(app)	what the new one says of running sessions, in place of
 *			the truth: text
 *	lists(app)	the same for the old one, or null for no answer
 *	refuses		the status with which it refuses any JWT
 *	late		ms after which the old one lists what began
 *	silent		it never answers
 * The app: kind may be changed; runs: a Map of session → socket or null;
 * asked: how often it was; questions: sockets that asked the old one.
 */
export async function startFakeApp(stage, options = {}) {
	const app = { kind: "new", runs: new Map(), asked: 0, pages: [],
		questions: 0, ...options };
	const upstream = await startSocketUpstream(stage, {
		watched: true,
		admit: () => app.refuses ?? (app.silent ? 0 : 101),
		handle: (req, res) => handle(app, req, res),
		connected: (ws) => connected(app, ws),
	});
	return Object.assign(app, { port: upstream.port, upstream,
		close: upstream.close });
}

function handle(app, req, res) {
	if (app.silent)
		return;
	if (app.refuses) {
		res.writeHead(app.refuses);
		return res.end("{}");
	}
	if (req.url !== "/api/providers/sessions/running" ||
	    app.kind !== "new") {
		res.setHeader("Content-Type", "text/html");
		return res.end(PAGE);
	}
	app.asked++;
	app.authorization = req.headers.authorization;
	res.setHeader("Content-Type", "application/json");
	res.end(app.answer?.(app) ?? JSON.stringify({ success: true,
		data: { sessions: [...app.runs.keys()].map((sessionId) => ({
			sessionId, provider: "claude", startedAt: 1, lastSeq: 3 })) },
	}));
}

const CLAUDE = 1; // of an old one's runs that have no session

function connected(app, ws) {
	const say = (message) => ws.send(JSON.stringify(message));

	app.pages.push(ws);
	ws.on("message", (data) => {
		const message = JSON.parse(data);
		const id = message.sessionId ?? message.options?.sessionId ??
			`new-${CLAUDE}`;
		const list = () => app.runs.set(id, ws);
		if (message.type === "get-active-sessions") {
			app.asked++;
			const text = app.lists ? app.lists(app)
				: JSON.stringify({ type: "active-sessions", sessions: {
					claude: [...app.runs.keys()], cursor: [] } });
			if (text !== null)
				ws.send(text);
		} else if (message.type === "chat.send") {
			list();
		} else if (message.type === "claude-command") {
			setTimeout(list, app.late ?? 0);
			setTimeout(() => say({ type: "session-created",
				sessionId: id }), app.late ?? 0);
		}
	});
}

// What ran ends, and says so where it began.
export function endRun(app, session) {
	const ws = app.runs.get(session);

	app.runs.delete(session);
	if (ws === null)
		return;
	ws.send(JSON.stringify(app.kind === "new"
		? { kind: "complete", sessionId: session, exitCode: 0 }
		: { type: "claude-complete", sessionId: session, exitCode: 0 }));
}
