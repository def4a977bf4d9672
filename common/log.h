#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Logging.  A program logs to one of four places: standard error, syslog(3)
 * (which must not be called once a sandbox is entered), a file, or a datagram
 * socket whose other end is the parent.  Lines never carry a token, a query
 * string or a body.
 */

enum log_level {
	LOG_LEVEL_CRIT,	 /* from fatal() only */
	LOG_LEVEL_WARN,	 /* something failed, the program recovers */
	LOG_LEVEL_INFO,	 /* start, reload, stop, connect, transactions */
	LOG_LEVEL_DEBUG, /* states */
	LOG_LEVEL_TRACE, /* each message between our processes */
	LOG_LEVEL_COUNT
};

/* The longest line, with its NUL; what is longer is cut. */
#define LOG_LINE_MAX 1024

/* The same of the audit log. */
#define LOG_AUDIT_MAX 2048

/* Holds a time as text, with its NUL. */
#define LOG_TIME_SIZE 32

/* Log to standard error, each line after the program's name. */
void log_to_stderr(const char *name);

/* Log to syslog(3), facility daemon, under the program's name. */
void log_to_syslog(const char *name);

/*
 * Open a file to log to, at its end; one that is not there is made, readable
 * by its group.  Returns -1 with errno set: EINVAL for what is no regular
 * file.
 */
int log_file_open(const char *path);

/*
 * The same, but a symbolic link is not followed: ELOOP; and what is there may
 * be read.
 */
int log_file_open_no_link(const char *path);

/*
 * Log to the file fd, which is the log's from now on: each line after the
 * time (ISO 8601, UTC), the program's name and its pid.  A full disk loses
 * lines.
 */
void log_to_file(const char *name, int fd);

/*
 * Log to the datagram socket fd: one datagram a line, the level as its first
 * byte.  A full socket loses the line rather than blocking the program.
 */
void log_to_socket(int fd);

/* Lines less important than this are dropped; LOG_LEVEL_INFO at first. */
void log_set_level(enum log_level);
enum log_level log_get_level(void);

/* Emit a line that is complete already, at a level that was checked. */
void log_line(enum log_level, const char *line);

/* The same for a line of the audit log: to syslog(3) with facility authpriv. */
void log_audit_line(const char *line);

/* The time of day as "2026-11-22T20:00:00.123Z".  Returns dst. */
char *log_time(char dst[LOG_TIME_SIZE]);

/*
 * The plain forms add ": " and the text of errno, those with an x do not.
 * errno survives all of them.
 */
void log_tracex(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_debugx(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_infox(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Log at level crit and exit with status 1: for start-up only. */
void fatal(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));
void fatalx(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));

/*
 * Copy src into dst of the given size, with every byte outside printable
 * ASCII replaced by '?', so that hostile text cannot forge lines or drive a
 * terminal.  Returns dst.
 */
char *log_safe(char *dst, size_t size, const char *src);

#endif
