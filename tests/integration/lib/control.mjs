// What an operator gets from tetherctl.

import assert from "node:assert/strict";

import { tetherctl } from "./programs.mjs";

// What tetherctl printed, after it ended with status 0.
export async function ask(tetherd, ...args) {
	const { code, stdout, stderr } = await tetherctl(tetherd, ...args);
	assert.equal(code, 0, stderr);
	assert.equal(stderr, "");
	return stdout;
}

export const json = async (tetherd, ...args) =>
	JSON.parse(await ask(tetherd, "-j", ...args));

// Why a test of what other users may do is skipped, or false.
export const NOT_ROOT =
	process.getuid() !== 0 && "only root may be somebody else";
