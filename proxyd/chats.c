#include <stdlib.h>

#include "common/log.h"
#include "proxyd/chats.h"

struct chats {
	struct proxyd *proxyd;
	size_t count;
};

struct chats *
chats_new(struct proxyd *proxyd)
{
	struct chats *chats = calloc(1, sizeof(*chats));

	if (chats == NULL)
		fatal("chats");
	chats->proxyd = proxyd;
	return chats;
}

void
chats_free(struct chats *chats)
{
	free(chats);
}

size_t
chats_count(const struct chats *chats)
{
	return chats->count;
}
