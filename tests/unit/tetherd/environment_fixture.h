#ifndef TESTS_UNIT_TETHERD_ENVIRONMENT_FIXTURE_H
#define TESTS_UNIT_TETHERD_ENVIRONMENT_FIXTURE_H

/*
 * Settings as the environment, a .env and a tetherd.conf of the test make
 * them.  Each test starts with an environment in which none is set.
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tetherd/complaints.h"
#include "tetherd/conf.h"
#include "tetherd/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What is secret leaves the environment. */
static const struct {
	const char *name;
	bool secret;
} names[] = {
	{ "ORCHESTRATOR_MODE", false },
	{ "ORCHESTRATOR_URL", true },
	{ "ORCHESTRATOR_TOKEN", true },
	{ "ORCHESTRATOR_CLIENT_ID", false },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", false },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", false },
	{ "ORCHESTRATOR_CALLBACK_URL", false },
	{ "ORCHESTRATOR_GITHUB_USERS", false },
	{ "ORCHESTRATOR_GITHUB_TEAM", false },
	{ "ORCHESTRATOR_GITHUB_ORG", false },
	{ "PORT", false },
	{ "DATABASE_PATH", false },
	{ "JWT_SECRET", true },
	{ "SSL_CERT_FILE", false },
	{ "https_proxy", true },
	{ "HTTPS_PROXY", true },
	{ "no_proxy", false },
	{ "NO_PROXY", false },
	{ "GITHUB_TOKEN", true },
	{ "GITHUB_API_URL", false },
	{ "ORCHESTRATOR_CLAIM_USER", false },
	{ "ORCHESTRATOR_CLAIM_ORG", false },
	{ "ORCHESTRATOR_CLAIM_TEAM", false },
	{ "STATE_DIRECTORY", false },
	{ "TETHERD_PAGE_SCRIPT", false },
};

static char dir[] = "/tmp/settings.XXXXXX";
static char path[64], ca_path[64], conf_path[64];

/* What was said at the last reading, a line each. */
static char said[16384];

/* Longer than any value may be; its end is a value of any length. */
static char long_value[4098];

/* What is set is captured; what is empty counts as not set. */
static inline void
clear(void)
{
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(setenv(names[i].name, "", 1), 0);
	settings_capture();
}

static inline int
setup(void **state)
{
	(void)state;
	clear();
	return 0;
}

static inline void
set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
	settings_capture();
}

/* As an operator would, who connects. */
static inline void
set_client(void)
{
	set("ORCHESTRATOR_MODE", "client");
	set("ORCHESTRATOR_URL", "wss://host.example/ws?a=1");
	set("ORCHESTRATOR_TOKEN", "ao_1_secret");
}

static inline void
write_path(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static inline void
write_file(const char *text, size_t len)
{
	write_path(path, text, len);
}

/* The tetherd.conf, which is empty otherwise. */
static inline void
write_conf(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	assert_int_not_equal(vasprintf(&text, format, ap), -1);
	va_end(ap);
	write_path(conf_path, text, strlen(text));
	free(text);
}

static inline struct settings *
read_settings(const char *file)
{
	struct complaints *complaints = complaints_new();
	struct sources sources = { .file = conf_path, .env_file = file };
	struct settings *settings = settings_read(&sources, complaints);

	complaints_text(complaints, said, sizeof(said));
	assert_int_equal(settings == NULL, complaints_count(complaints) > 0);
	complaints_free(complaints);
	return settings;
}

static inline void
assert_refused(const char *file, const char *lines)
{
	assert_null(read_settings(file));
	assert_string_equal(said, lines);
}

/* The settings, which the next reading replaces. */
static inline const struct conf *
assert_read(const char *file)
{
	static struct settings *settings;

	settings_free(settings);
	settings = read_settings(file);
	if (settings == NULL)
		fail_msg("%s", said);
	assert_string_equal(said, "");
	return settings_conf(settings);
}

static inline int
make_file(char *name, size_t size, const char *last)
{
	int fd;

	(void)snprintf(name, size, "%s/%s", dir, last);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	return fd == -1 ? -1 : close(fd);
}

static inline int
group_setup(void **state)
{
	(void)state;
	memset(long_value, 'x', sizeof(long_value) - 1);
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/.env", dir);
	return make_file(ca_path, sizeof(ca_path), "ca.pem") |
	       make_file(conf_path, sizeof(conf_path), "tetherd.conf");
}

static inline int
group_teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(ca_path);
	(void)unlink(conf_path);
	return rmdir(dir);
}

#endif
