#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <seccomp.h>

#include "tetherd/kernel_log.h"

/* One record with what the kernel adds to it; it fails to give longer ones. */
#define RECORD_SIZE 8192

/* More of them at once would keep tetherd from its work. */
#define RECORDS_MAX 20000

/* The kernel prints them by a thread of its own, mostly within 0.1 ms. */
#define WAIT_MS 40

/* Where it prints none, no time is to be lost for each death. */
#define WAIT_AGAIN_SECONDS 5

/* Found on the way to another one's; more at once are not to be expected. */
#define DEATHS_KEPT 8

static struct {
	int fd;
	struct kernel_log_death deaths[DEATHS_KEPT]; /* pid 0: none */
	unsigned next;
	time_t in_vain; /* when waiting was, or 0 */
} kernel_log = { .fd = -1 };

void
kernel_log_open(void)
{
	kernel_log.fd =
	    open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (kernel_log.fd != -1 && lseek(kernel_log.fd, 0, SEEK_END) == -1)
		kernel_log_close();
}

void
kernel_log_close(void)
{
	if (kernel_log.fd != -1)
		close(kernel_log.fd);
	memset(&kernel_log, 0, sizeof(kernel_log));
	kernel_log.fd = -1;
}

/* What stands behind the next field of that name, or NULL. */
static const char *
field(const char *text, const char *name)
{
	const char *at = text == NULL ? NULL : strstr(text, name);

	return at == NULL ? NULL : at + strlen(name);
}

static bool
number(const char *text, int base, uint32_t max, uint32_t *value)
{
	unsigned long n;
	char *end;

	if (text == NULL || *text == '-')
		return false;
	errno = 0;
	n = strtoul(text, &end, base);
	if (end == text || errno != 0 || n > max)
		return false;
	*value = (uint32_t)n;
	return true;
}

/*
 * "PRIORITY,NUMBER,TIME,FLAGS;TEXT".  What users write to the kernel's log
 * never gets a priority below 8.
 */
static const char *
text_of_kernel(const char *record)
{
	if (record[0] < '0' || record[0] > '7' || record[1] != ',')
		return NULL;
	return field(record, ";");
}

bool
kernel_log_parse(const char *record, struct kernel_log_death *d)
{
	const char *at = text_of_kernel(record);
	uint32_t pid, sig, call;
	size_t len;

	if (at == NULL)
		return false;
	if (strncmp(at, "audit: ", strlen("audit: ")) == 0)
		at += strlen("audit: ");
	if (strncmp(at, "type=1326 audit(", strlen("type=1326 audit(")) != 0)
		return false;
	/* In this order.  A text in quotes has neither quotes nor spaces: one
	 * with such is in hexadecimal digits and without quotes. */
	at = field(at, " pid=");
	if (!number(at, 10, INT32_MAX, &pid) || pid == 0)
		return false;
	at = field(at, " comm=\"");
	len = at == NULL ? 0 : strcspn(at, "\"");
	if (len == 0 || len >= sizeof(d->name))
		return false;
	memcpy(d->name, at, len);
	d->name[len] = '\0';
	at = field(at + len, " sig=");
	if (!number(at, 10, INT32_MAX, &sig) || sig != SIGSYS)
		return false;
	at = field(at, " arch=");
	if (!number(at, 16, UINT32_MAX, &d->arch))
		return false;
	at = field(at, " syscall=");
	if (!number(at, 10, INT32_MAX, &call))
		return false;
	d->pid = (pid_t)pid;
	d->call = (int)call;
	return true;
}

/* All that came since, of which the last ones are kept. */
static void
take_records(void)
{
	char record[RECORD_SIZE];
	struct kernel_log_death d;
	ssize_t n;
	int i;

	for (i = 0; i < RECORDS_MAX; i++) {
		n = read(kernel_log.fd, record, sizeof(record) - 1);
		/* Older ones were overwritten: it goes on with what is left. */
		if (n == -1 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		if (kernel_log_parse(record, &d))
			kernel_log.deaths[kernel_log.next++ % DEATHS_KEPT] = d;
	}
	(void)lseek(kernel_log.fd, 0, SEEK_END);
}

/* The last one: a pid comes again, long after. */
static struct kernel_log_death *
find(pid_t pid, const char *name)
{
	struct kernel_log_death *d;
	unsigned i;

	for (i = 1; i <= DEATHS_KEPT; i++) {
		d = &kernel_log.deaths[(kernel_log.next - i) % DEATHS_KEPT];
		if (d->pid == pid &&
		    strncmp(d->name, name, KERNEL_LOG_NAME_MAX) == 0)
			return d;
	}
	return NULL;
}

static time_t
now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Any other line of the kernel's ends the wait, too: then once more. */
static struct kernel_log_death *
wait_for(pid_t pid, const char *name)
{
	struct pollfd pfd = { .fd = kernel_log.fd, .events = POLLIN };
	struct kernel_log_death *d = NULL;
	int i;

	if (kernel_log.in_vain != 0 &&
	    now_seconds() - kernel_log.in_vain < WAIT_AGAIN_SECONDS)
		return NULL;
	for (i = 0; d == NULL && i < 3; i++) {
		if (poll(&pfd, 1, WAIT_MS) <= 0)
			break;
		take_records();
		d = find(pid, name);
	}
	kernel_log.in_vain = d == NULL ? now_seconds() : 0;
	return d;
}

static void
describe(const struct kernel_log_death *d, char *buf, size_t size)
{
	char *name = seccomp_syscall_resolve_num_arch(d->arch, d->call);
	char other[32] = "";

	/* The same number is another call there. */
	if (d->arch != seccomp_arch_native())
		(void)snprintf(other, sizeof(other), " of architecture 0x%x",
		    (unsigned)d->arch);
	(void)snprintf(buf, size, "system call %s (%d)%s",
	    name == NULL ? "unknown" : name, d->call, other);
	free(name);
}

bool
kernel_log_find(pid_t pid, const char *name, char *buf, size_t size)
{
	struct kernel_log_death *d;

	if (kernel_log.fd == -1)
		return false;
	take_records();
	d = find(pid, name);
	if (d == NULL)
		d = wait_for(pid, name);
	if (d == NULL)
		return false;
	describe(d, buf, size);
	d->pid = 0;
	return true;
}
