// A whole instance between a scripted orchestrator and some upstream.

import { Orchestrator } from "./orchestrator.mjs";
import { startSampleApp, startTetherd } from "./programs.mjs";
import { startUpstream } from "./upstream.mjs";

/*
 * options:
 *	handle		(req, res) of a scripted HTTP upstream
 *	upstream	(stage) => anything with a port; the sample app if
 *			neither is there
 *	orchestrator	options of Orchestrator
 *	env, args, database	as for startTetherd()
 */
export async function startInstance(stage, options = {}) {
	const orchestrator =
		await Orchestrator.start(stage, options.orchestrator);
	const upstream = options.handle
		? await startUpstream(stage, options.handle)
		: await (options.upstream ?? startSampleApp)(stage);
	const tetherd = await startTetherd(stage, {
		...options,
		env: {
			ORCHESTRATOR_URL: orchestrator.url,
			PORT: String(upstream.port),
			...options.env,
		},
	});
	const connection = await orchestrator.registered();
	await tetherd.registered();
	return { orchestrator, upstream, tetherd, connection };
}
