#include "common/log.h"
#include "sandbox/confine.h"

void
confine(const struct confinement *c, const struct landlock_rules *rules,
    const struct calls *const lists[], size_t nlists)
{
	if (!c->sandbox)
		return;
#ifdef SANITIZED
	(void)rules;
	(void)lists;
	(void)nlists;
	log_warnx("built with sanitizers: neither Landlock nor seccomp");
#else
	landlock_confine(rules);
	calls_confine(lists, nlists);
#endif
}
