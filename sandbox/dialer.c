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
		{ "/etc/gai.conf", SANDBOX_READ },
		{ "/etc/host.conf", SANDBOX_READ },
		{ "/etc/hostname", SANDBOX_READ },
		{ "/etc/hosts", SANDBOX_READ },
		{ "/etc/ld.so.cache", SANDBOX_READ },
		{ "/etc/mdns.allow", SANDBOX_READ },
		{ "/etc/nsswitch.conf", SANDBOX_READ },
		{ "/etc/protocols", SANDBOX_READ },
		{ "/etc/resolv.conf", SANDBOX_READ },
		{ "/etc/services", SANDBOX_READ },
		{ "/lib", SANDBOX_READ },
		{ "/lib64", SANDBOX_READ },
		{ "/usr/lib", SANDBOX_READ },
		{ "/usr/lib64", SANDBOX_READ },
		{ "/usr/local/lib", SANDBOX_READ },
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
	CONFINE(c, &rules, &calls_base, &calls_files, &calls_dialer);
}
