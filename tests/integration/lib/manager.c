/*
 * A service manager, for tests: listens there for datagrams, and prints
 * each on a line with the pid that sent it, "|" in place of newlines, until
 * somebody ends it.
 *
 *	manager PATH|@NAME
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void
receive(int fd)
{
	static union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} space;
	char text[1024], *at;
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space.space,
		.msg_controllen = sizeof(space) };
	struct ucred cred = { .pid = 0 };
	ssize_t n = recvmsg(fd, &mh, 0);

	if (n == -1)
		err(1, "recvmsg");
	text[n] = '\0';
	for (at = text; (at = strchr(at, '\n')) != NULL;)
		*at = '|';
	if (CMSG_FIRSTHDR(&mh) != NULL)
		memcpy(&cred, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(cred));
	printf("%d: %s\n", (int)cred.pid, text);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), on = 1;
	socklen_t len;

	if (argc != 2 || strlcpy(sun.sun_path, argv[1], sizeof(sun.sun_path)) >=
			     sizeof(sun.sun_path))
		errx(1, "no socket");
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(argv[1]));
	if (sun.sun_path[0] == '@') /* the abstract namespace */
		sun.sun_path[0] = '\0';
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, len) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1)
		err(1, "%s", argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("listening\n");
	for (;;)
		receive(fd);
}
