// Many rows, one test: all rows are tried, all failures are told.

import assert from "node:assert/strict";

export async function eachRow(rows, body) {
	const failures = [];

	for (const row of rows)
		await Promise.resolve().then(() => body(row)).catch((error) =>
			failures.push(`${show(row)}: ${error.message}`));
	assert.equal(failures.length, 0,
		`${failures.length} rows failed\n${failures.join("\n")}`);
}

function show(row) {
	const text = JSON.stringify(row, (key, value) =>
		value instanceof RegExp || typeof value === "function"
			? String(value) : value);
	return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
