#include <stdio.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "tetherd/dialer.h"

deadline
deadline_in(uint32_t ms)
{
	return monotonic_ms() + ms;
}

int
deadline_left(deadline when)
{
	deadline left = when - deadline_in(0);

	return left < 0 ? 0 : (int)left;
}

int
dialer_dial(const struct dialer_conf *conf, char text[DIALER_TEXT_MAX])
{
	deadline end = deadline_in(conf->timeout_ms);
	int fd;

	if (conf->proxy_host[0] == '\0')
		return dialer_connect(conf->host, conf->port, end, text);
	fd = dialer_connect(conf->proxy_host, conf->proxy_port, end, text);
	if (fd == -1)
		return -1;
	if (dialer_tunnel(fd, conf->host, conf->port, conf->proxy_auth, end,
		text) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}
