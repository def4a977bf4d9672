#include "tests/takeover/drill.h"
#include "tetherd/dialer.h"

/* The same of the dialer, whose sandbox is there when it begins to dial. */
int __real_dialer_dial(const struct dialer_conf *, char *);
int __wrap_dialer_dial(const struct dialer_conf *, char *);

int
__wrap_dialer_dial(const struct dialer_conf *conf, char *text)
{
	drill_run("start");
	return __real_dialer_dial(conf, text);
}
