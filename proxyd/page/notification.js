// The pictures of notifications.

function fixNotification(options) {
	const fixed = { ...options };

	for (const name of ["icon", "badge", "image"])
		if (name in fixed)
			fixed[name] = fix(fixed[name]);
	if (fixed.actions)
		fixed.actions = Array.from(fixed.actions, (action) =>
			action?.icon ? { ...action, icon: fix(action.icon) } :
				action);
	return fixed;
}

patchMethod(globalThis.ServiceWorkerRegistration?.prototype,
	"showNotification", (self, args, native) => {
		if (args[1])
			args[1] = fixNotification(args[1]);
		return native(...args);
	});
