#ifndef COMMON_MONOTONIC_H
#define COMMON_MONOTONIC_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds: for intervals, never a time of day. */
int64_t monotonic_ms(void);

#endif
