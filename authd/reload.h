#ifndef AUTHD_RELOAD_H
#define AUTHD_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct authd_conf;

/*
 * What it means for authd to go on with the settings in next, in place of
 * those in now: flags of slice.h.  Another place for a database, or another
 * user, is out of reach of a process in its sandbox, which has to be started
 * anew.
 */
uint32_t reload_flags(
    const struct authd_conf *now, const struct authd_conf *next);

/*
 * Whether authd could work with these settings, in its sandbox already: NULL,
 * or why not, for the operator and valid until the next call.  Nothing is
 * changed, created or logged.  is_given: see state_folder_is_to_give().
 */
const char *reload_try(const struct authd_conf *, bool is_given);

#endif
