#ifndef TETHERD_PROXY_H
#define TETHERD_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

/*
 * HTTPS_PROXY: "http://[user:password@]host[:port]", the scheme optional.
 * Fills the proxy members.  Returns NULL or what is wrong.
 */
const char *proxy_parse(const char *, struct dialer_conf *);

/*
 * NO_PROXY: a comma-separated list of host names (which stand for the
 * domains below them, too), "host:port", or "*".
 */
bool proxy_is_bypassed(const char *list, const char *host, uint32_t port);

#endif
