#include <stdlib.h>

#include "common/log.h"
#include "proxyd/chat_tap.h"

struct chat_tap {
	struct runs *runs;
};

struct chat_tap *
chat_tap_new(struct runs *runs)
{
	struct chat_tap *tap = calloc(1, sizeof(*tap));

	if (tap == NULL)
		fatal("chat_tap");
	tap->runs = runs;
	return tap;
}

void
chat_tap_free(struct chat_tap *tap)
{
	free(tap);
}

void
chat_tap_up(struct chat_tap *tap, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	(void)tap;
	(void)type;
	(void)data;
	(void)len;
	(void)fin;
}

void
chat_tap_down(struct chat_tap *tap, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	(void)tap;
	(void)type;
	(void)data;
	(void)len;
	(void)fin;
}

bool
chat_tap_is_running(const struct chat_tap *tap)
{
	(void)tap;
	return false;
}
