// What loads, opens or navigates, apart from elements and fetch.

// React Router writes its base name without a slash: that URL is outside.
for (const method of ["pushState", "replaceState"])
	patchMethod(globalThis.History?.prototype, method,
		(self, args, native) => {
			if (args[2] != null)
				args[2] = fix(args[2]);
			return native(...args);
		});

patchMethod(globalThis.XMLHttpRequest?.prototype, "open", fixArgument(1));
patchMethod(globalThis.XMLHttpRequest?.prototype, "setRequestHeader",
	(self, args, native) => {
		const [name, value] = args;
		// Before open() it is an error, which the native one raises.
		if (args.length > 1 && self.readyState === 1 &&
			`${name}`.toLowerCase() === "authorization" &&
			HANDLE.test(value))
			return undefined;
		return native(...args);
	});

patchMethod(globalThis.Navigator?.prototype, "sendBeacon", fixArgument(0));
patchMethod(globalOwner("open"), "open", fixArgument(0));
for (const name of ["Worker", "SharedWorker", "Audio"])
	patchConstructor(name, fixFirst);

// Other registrations of the origin are none of the app's business.
const workers = globalThis.ServiceWorkerContainer?.prototype;
const isOurScope = (registration) =>
	isBelow(new URL(registration.scope).pathname);

patchMethod(workers, "register", (self, args, native) => {
	if (args.length > 0)
		args[0] = fix(args[0]);
	if (args[1]?.scope !== undefined)
		args[1] = { ...args[1], scope: fix(args[1].scope) };
	return native(...args);
});
patchMethod(workers, "getRegistration", async (self, args, native) => {
	if (args.length > 0)
		args[0] = fix(args[0]);
	const found = await native(...args);
	return found && isOurScope(found) ? found : undefined;
});
patchMethod(workers, "getRegistrations", async (self, args, native) =>
	(await native()).filter(isOurScope));
