#include <sys/resource.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/descriptors.h"

/* Channels, the event loop, connections that are kept for the next request. */
#define SPARE 64

/* One each; a chat session that is closed makes room for another at once. */
static uint32_t
needed(const struct proxyd_conf *conf)
{
	return conf->requests_max + conf->tunnels_max + 2 * conf->chats_max +
	       SPARE;
}

void
descriptors_check(const struct conf *conf)
{
	static struct rlimit limit;
	static bool known;

	if (!known && getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("getrlimit");
	known = true;
	if (limit.rlim_max < needed(&conf->proxyd))
		log_warnx("limits: they add up to %u file descriptors, but the "
			  "system allows %ju (ulimit -Hn)",
		    needed(&conf->proxyd), (uintmax_t)limit.rlim_max);
}
