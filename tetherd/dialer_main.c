#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "sandbox/sandbox.h"
#include "tetherd/dialer.h"

/* Tell the parent how it went; the socket is closed here in any case. */
static void
answer(int fd, const char *text)
{
	struct msg_out m;

	msg_start(&m, fd == -1 ? MSG_DIALER_FAILED : MSG_DIALER_SOCKET, 0);
	msg_add_str(&m, text);
	if (msg_send_now(CHILD_FD_PARENT, &m, fd) == -1)
		fatal("can't answer");
}

int
main(int argc, char **argv)
{
	struct child child;
	struct dialer_conf conf;
	char text[DIALER_TEXT_MAX];
	int fd;

	child_start(&child, PROGRAM_DIALER, argc, argv);
	child_configure(&child, &slice_dialer, &conf);
	sandbox_dialer(&conf.confinement,
	    (uint16_t)(conf.proxy_host[0] == '\0' ? conf.port
						  : conf.proxy_port));
	fd = dialer_dial(&conf, text);
	answer(fd, text);
	slice_free_dialer(&conf);
	child_finish(&child);
	return 0;
}
