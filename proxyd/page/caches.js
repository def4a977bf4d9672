// The caches of the origin are everybody's: ours get names of our own.

// No path has a space.
const namespace = `tether:${prefix} `;

patchMethod(globalThis.CacheStorage?.prototype, "keys",
	async (self, args, native) => (await native())
		.filter((name) => name.startsWith(namespace))
		.map((name) => name.slice(namespace.length)));

for (const method of ["open", "has", "delete"])
	patchMethod(globalThis.CacheStorage?.prototype, method,
		(self, args, native) => {
			if (args.length > 0)
				args[0] = namespace + args[0];
			return native(...args);
		});

// Without a name it would look into all caches of the origin.
patchMethod(globalThis.CacheStorage?.prototype, "match",
	async (self, args, native) => {
		if (args.length === 0)
			return native();
		const [request, options] = args;
		const input = fixRequest(request);
		if (options?.cacheName !== undefined)
			return native(input, { ...options,
				cacheName: namespace + options.cacheName });
		for (const name of await apply(cacheNames, self, []))
			if (name.startsWith(namespace)) {
				const found = await native(input,
					{ ...options, cacheName: name });
				if (found !== undefined)
					return found;
			}
		return undefined;
	});
const cacheNames = originals.get(globalThis.CacheStorage?.prototype.keys);

for (const method of ["match", "matchAll", "keys", "put", "delete", "add"])
	patchMethod(globalThis.Cache?.prototype, method,
		async (self, args, native) => {
			if (args[0] !== undefined)
				args[0] = fixRequest(args[0]);
			return native(...args);
		});

patchMethod(globalThis.Cache?.prototype, "addAll",
	async (self, args, native) => args.length === 0 ? native() :
		native(Array.from(args[0], fixRequest)));
