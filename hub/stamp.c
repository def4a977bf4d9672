#include "hub/stamp.h"

const char *
stamp_format(char buffer[STAMP_SIZE], time_t when)
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(buffer, STAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buffer[0] = '\0';
	return buffer;
}
