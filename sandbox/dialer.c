#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

/* Attempts at once, name servers, and some to spare. */
#define FILES 64

#define DNS_PORT 53

void
sandbox_dialer(const struct confinement *c, uint16_t port)
{
	/* The name service: its settings, and modules that it loads. */
	static const struct sandbox_path paths[] = {
		{ "/etc", SANDBOX_READ },
		{ "/lib", SANDBOX_READ },
		{ "/lib64", SANDBOX_READ },
		{ "/usr/lib", SANDBOX_READ },
		{ "/usr/lib64", SANDBOX_READ },
		{ "/usr/share", SANDBOX_READ },
		{ "/run/systemd/resolve", SANDBOX_READ },
		{ "/run/resolvconf", SANDBOX_READ },
		{ "/run/NetworkManager", SANDBOX_READ },
	};
	const uint16_t ports[] = { port, DNS_PORT };
	const struct landlock_rules rules = {
		.paths = paths,
		.npaths = sizeof(paths) / sizeof(paths[0]),
		.connect = ports,
		.nconnect = sizeof(ports) / sizeof(ports[0]),
	};

	privileges_drop(c);
	process_restrict(FILES, 0);
	process_alone();
	CONFINE(c, &rules, &calls_base, &calls_dialer);
}
