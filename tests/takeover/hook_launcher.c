#include "sandbox/sandbox.h"
#include "tests/takeover/drill.h"

/* It has no event loop: what is there to be done is done at once. */
void __real_sandbox_launcher(const struct confinement *, const char *);
void __wrap_sandbox_launcher(const struct confinement *, const char *);

void
__wrap_sandbox_launcher(const struct confinement *c, const char *folder)
{
	__real_sandbox_launcher(c, folder);
	drill_run("start");
}
