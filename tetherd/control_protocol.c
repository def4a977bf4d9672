#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/control_protocol.h"

int
control_path_from(const char *variable, char *path, size_t size)
{
	const char *dir = getenv(variable);
	size_t len = dir == NULL ? 0 : strcspn(dir, ":");
	int n;

	/* A relative one would depend on where somebody stands. */
	if (len == 0 || len >= size || dir[0] != '/')
		return -1;
	n = snprintf(path, size, "%.*s/%s", (int)len, dir, CONTROL_NAME);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}
