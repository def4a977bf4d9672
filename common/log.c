#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static enum { TO_STDERR, TO_SYSLOG, TO_SOCKET, TO_FILE } destination;
static const char *log_name = "tetherd";
static int log_socket = -1;
static int log_file = -1;
static enum log_level log_threshold = LOG_LEVEL_INFO;

/* Whatever was logged to before is over. */
static void
log_close(void)
{
	if (destination == TO_SYSLOG)
		closelog();
	if (log_file != -1)
		close(log_file);
	log_file = -1;
}

void
log_to_stderr(const char *name)
{
	log_close();
	destination = TO_STDERR;
	log_name = name;
}

void
log_to_syslog(const char *name)
{
	log_close();
	destination = TO_SYSLOG;
	log_name = name;
	openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

static int
open_at_end(const char *path, int flags)
{
	/* Whatever the sandbox made of the mask: 0640 is what is promised. */
	mode_t mask = umask(027);
	int fd = open(path,
	    O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags,
	    0640);
	struct stat st;

	(void)umask(mask);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

int
log_file_open(const char *path)
{
	return open_at_end(path, O_WRONLY);
}

int
log_file_open_no_link(const char *path)
{
	return open_at_end(path, O_RDWR | O_NOFOLLOW);
}

void
log_to_file(const char *name, int fd)
{
	log_close();
	destination = TO_FILE;
	log_name = name;
	log_file = fd;
}

void
log_to_socket(int fd)
{
	log_close();
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

char *
log_time(char dst[LOG_TIME_SIZE])
{
	struct timespec now;
	struct tm tm;
	size_t n = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		n = strftime(dst, LOG_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(dst + n, LOG_TIME_SIZE - n, ".%03uZ",
	    (unsigned)(now.tv_nsec / 1000000) % 1000);
	return dst;
}

/* In one write, so that lines of two processes cannot mix. */
static void
log_append(const char *line)
{
	char text[LOG_AUDIT_MAX + 128], when[LOG_TIME_SIZE];
	int n;

	n = snprintf(text, sizeof(text), "%s %s[%d]: %s", log_time(when),
	    log_name, (int)getpid(), line);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	text[n] = '\n';
	(void)!write(log_file, text, (size_t)n + 1);
}

void
log_line(enum log_level level, const char *line)
{
	static const int priorities[LOG_LEVEL_COUNT] = {
		[LOG_LEVEL_CRIT] = LOG_CRIT,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
		[LOG_LEVEL_TRACE] = LOG_DEBUG,
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
	case TO_FILE:
		log_append(line);
		break;
	}
}

void
log_audit_line(const char *line)
{
	if (destination == TO_SYSLOG)
		syslog(LOG_AUTHPRIV | LOG_INFO, "%s", line);
	else
		log_line(LOG_LEVEL_INFO, line);
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
log_tracex(const char *format, ...)
{
	LOG_WITH(LOG_LEVEL_TRACE, 0, format);
}

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
