// Stands in for the program `claude`: works at every message for RUN_MS
// milliseconds, and says little; asked to "list", it asks whether it may first.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

const session = randomUUID();
const RUN_MS = Number(process.env.RUN_MS);

function say(message) {
	process.stdout.write(JSON.stringify({ session_id: session,
		uuid: randomUUID(), ...message }) + "\n");
}

function begin() {
	say({ type: "system", subtype: "init", cwd: process.cwd(), tools: [],
		mcp_servers: [], model: "stand-in", permissionMode: "default",
		slash_commands: [], apiKeySource: "none", output_style: "default" });
}

function work(result = "done") {
	setTimeout(() => say({ type: "result", subtype: "success",
		is_error: false, result, num_turns: 1, duration_ms: 1,
		duration_api_ms: 1, total_cost_usd: 0,
		usage: { input_tokens: 1, output_tokens: 1 }, modelUsage: {},
		permission_denials: [] }), RUN_MS);
}

function take(content) {
	begin();
	if (!content.includes("list"))
		return work();
	return say({ type: "control_request", request_id: randomUUID(),
		request: { subtype: "can_use_tool", tool_name: "Bash",
			input: { command: "ls" }, permission_suggestions: [],
			tool_use_id: "toolu_1" } });
}

function converse() {
	createInterface({ input: process.stdin }).on("line", (line) => {
		const message = JSON.parse(line);

		if (message.type === "control_request")
			say({ type: "control_response", response: {
				subtype: "success", request_id: message.request_id,
				response: { commands: [], models: [], account: {} } } });
		else if (message.type === "control_response")
			work(message.response.response.behavior);
		else if (message.type === "user")
			take(JSON.stringify(message.message.content));
	});
}

// With a question on the command line nothing comes over standard input.
if (process.argv.includes("--input-format"))
	converse();
else if (process.argv.includes("--print") || process.argv.includes("-p"))
	take("");
