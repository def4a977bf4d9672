#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/log.h"

static enum { TO_STDERR, TO_SYSLOG, TO_SOCKET } destination;
static const char *log_name = "tetherd";
static int log_socket = -1;
static enum log_level log_threshold = LOG_LEVEL_INFO;

void
log_to_stderr(const char *name)
{
	destination = TO_STDERR;
	log_name = name;
}

void
log_to_syslog(const char *name)
{
	destination = TO_SYSLOG;
	log_name = name;
	openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_to_socket(int fd)
{
	destination = TO_SOCKET;
	log_socket = fd;
}

void
log_set_level(enum log_level level)
{
	log_threshold = level;
}

enum log_level
log_get_level(void)
{
	return log_threshold;
}

static void
log_datagram(enum log_level level, const char *line)
{
	char datagram[1 + LOG_LINE_MAX];
	size_t len = strlen(line);

	if (len > LOG_LINE_MAX)
		len = LOG_LINE_MAX;
	datagram[0] = (char)level;
	memcpy(datagram + 1, line, len);
	(void)send(log_socket, datagram, 1 + len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
log_line(enum log_level level, const char *line)
{
	static const int priorities[LOG_LEVEL_COUNT] = {
		[LOG_LEVEL_CRIT] = LOG_CRIT,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};

	switch (destination) {
	case TO_STDERR:
		fprintf(stderr, "%s: %s\n", log_name, line);
		break;
	case TO_SYSLOG:
		syslog(priorities[level], "%s", line);
		break;
	case TO_SOCKET:
		log_datagram(level, line);
		break;
	}
}

static void
log_format(enum log_level level, int error, const char *format, va_list ap)
{
	char line[LOG_LINE_MAX];
	int saved = errno;
	size_t len;

	if (level > log_threshold)
		return;
	/* A line that does not fit is cut: better than not at all. */
	(void)vsnprintf(line, sizeof(line), format, ap);
	if (error != 0) {
		len = strlen(line);
		(void)snprintf(
		    line + len, sizeof(line) - len, ": %s", strerror(error));
	}
	log_line(level, line);
	errno = saved;
}

#define LOG_WITH(level, error, format)                \
	do {                                          \
		va_list ap;                           \
		va_start(ap, format);                 \
		log_format(level, error, format, ap); \
		va_end(ap);                           \
	} while (0)

void
log_debugx(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_DEBUG, 0, format);
}

void
log_infox(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_INFO, 0, format);
}

void
log_warn(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_WARN, errno, format);
}

void
log_warnx(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_WARN, 0, format);
}

void
fatal(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_CRIT, errno, format);
	exit(1);
}

void
fatalx(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_CRIT, 0, format);
	exit(1);
}

char *
log_safe(char *dst, size_t size, const char *src)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i] != '\0'; i++)
		dst[i] = src[i] >= 0x20 && src[i] < 0x7f ? src[i] : '?';
	dst[i] = '\0';
	return dst;
}
