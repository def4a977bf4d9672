#ifndef PROXYD_RELOAD_H
#define PROXYD_RELOAD_H

#include <stdint.h>

/*
 * Other settings while proxyd runs: they take effect in place, and no request
 * is lost.  child_ops of a struct proxyd; next is a proxyd_conf.
 */

/*
 * Also for those at start: flags may be NULL.  CONF_RESTART is for an upstream
 * that is out of reach for a process that is confined as this one is.
 */
const char *reload_check(void *proxyd, const void *next, uint32_t *flags);

/*
 * Limits count for what comes from now on.  At another upstream transfers
 * start, those under way end where they are, and tunnels are to be opened
 * anew.
 */
void reload_switch(void *proxyd, void *next, uint32_t flags);

#endif
