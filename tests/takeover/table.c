#include <stddef.h>
#include <string.h>

#include "tests/takeover/drill.h"

static const struct {
	const char *name;
	attack attack;
} table[] = {
	/* files.c */
	{ "files", attack_files },
	/* network.c */
	{ "network", attack_network },
	{ "local", attack_local },
	{ "speak", attack_speak },
	/* processes.c: one call that ends the process, by its name */
	{ "deadly", attack_deadly },
	{ "kill", attack_kill },
	/* channels.c */
	{ "send", attack_send },
	{ "raw", attack_raw },
	{ "log", attack_log },
	{ "close", attack_close },
	{ "hang", attack_hang },
	{ "read", attack_read },
};

attack
attack_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].attack;
	return NULL;
}
