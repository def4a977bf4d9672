#include <stdlib.h>

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/runs.h"

struct runs {
	struct proxyd *proxyd;
};

struct runs *
runs_new(struct proxyd *proxyd)
{
	struct runs *runs = calloc(1, sizeof(*runs));

	if (runs == NULL)
		fatal("runs");
	runs->proxyd = proxyd;
	return runs;
}

void
runs_free(struct runs *runs)
{
	free(runs);
}

bool
runs_any(const struct runs *runs)
{
	(void)runs;
	return false;
}

const char *
runs_text(const struct runs *runs)
{
	(void)runs;
	return "none";
}

void
runs_on_link(struct runs *runs)
{
	(void)runs;
}

void
runs_on_upstream(struct runs *runs)
{
	(void)runs;
}

void
runs_on_settings(struct runs *runs)
{
	(void)runs;
}

void
runs_on_use(struct runs *runs)
{
	(void)runs;
}
