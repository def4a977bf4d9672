#include <stddef.h>
#include <string.h>

#include "common/client_id.h"

#define PCHAR                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._~!$&'()*+,;=:@"

const char *
client_id_check(const char *s)
{
	size_t len = strlen(s);

	if (len > CLIENT_ID_MAX)
		return "longer than 128 characters";
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return "not usable as a part of a URL";
	return len > 0 && strspn(s, PCHAR) == len
		   ? NULL
		   : "characters that have no place in a URL";
}
