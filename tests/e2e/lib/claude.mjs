// Stands in for the program `claude` where it is not on a terminal: answers
// every message with what it was asked.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

const session = randomUUID();

function say(message) {
	process.stdout.write(JSON.stringify({ session_id: session,
		uuid: randomUUID(), ...message }) + "\n");
}

function textOf(content) {
	return typeof content === "string" ? content
		: content.map((part) => part.text ?? "").join("");
}

function answer(question) {
	const text = `You said: ${question}`;

	say({ type: "system", subtype: "init", cwd: process.cwd(), tools: [],
		mcp_servers: [], model: "stand-in", permissionMode: "default",
		slash_commands: [], apiKeySource: "none", output_style: "default" });
	say({ type: "assistant", parent_tool_use_id: null, message: {
		id: randomUUID(), type: "message", role: "assistant",
		model: "stand-in", content: [{ type: "text", text }],
		stop_reason: "end_turn", stop_sequence: null,
		usage: { input_tokens: 1, output_tokens: 1 } } });
	say({ type: "result", subtype: "success", is_error: false, result: text,
		num_turns: 1, duration_ms: 1, duration_api_ms: 1, total_cost_usd: 0,
		usage: { input_tokens: 1, output_tokens: 1 }, modelUsage: {},
		permission_denials: [] });
}

function converse() {
	createInterface({ input: process.stdin }).on("line", (line) => {
		const message = JSON.parse(line);

		if (message.type === "control_request")
			say({ type: "control_response", response: {
				subtype: "success", request_id: message.request_id,
				response: { commands: [], models: [], account: {} } } });
		else if (message.type === "user")
			answer(textOf(message.message.content));
	});
}

// Other commands, as `claude mcp list`, find nothing.
if (process.argv.includes("--input-format"))
	converse();
