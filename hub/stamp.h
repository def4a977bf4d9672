#ifndef HUB_STAMP_H
#define HUB_STAMP_H

#include <time.h>

#define STAMP_SIZE 32

/* Write a time as RFC 3339 has it, in UTC; returns buffer. */
const char *stamp_format(char buffer[STAMP_SIZE], time_t);

#endif
