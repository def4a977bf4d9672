#ifndef AUTHD_RELOAD_H
#define AUTHD_RELOAD_H

#include <stdint.h>

struct authd_conf;

/*
 * Whether authd can go on with the settings in next, in place of those in
 * now: NULL, or why not, for the operator and valid until the next call.
 * *flags says what that means (slice.h): another place for a database is
 * out of reach of a process in its sandbox, which has to be started anew.
 * Nothing is changed, created or logged.
 */
const char *reload_check(const struct authd_conf *now,
    const struct authd_conf *next, uint32_t *flags);

#endif
