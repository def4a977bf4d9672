#include <arpa/inet.h>

#include <event2/util.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/options.h"

const char options_usage[] =
    "usage: tether-hub [-hVv] [--listen address:port] [--token token]\n"
    "                  [--token-file file] [--user id:login]\n"
    "                  [--password-file file] [--message-max bytes]\n"
    "                  [--duratii]\n";

static const char default_listen[] = "127.0.0.1:3100";

static bool
address_is_loopback(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (ss->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static const char *
parse_listen(struct options *o, const char *value)
{
	struct sockaddr *sa = (struct sockaddr *)&o->listen;
	int len = sizeof(o->listen);
	const char *colon = strrchr(value, ':');
	const char *error;
	char host[INET6_ADDRSTRLEN + 2]; /* with brackets */
	in_port_t port;

	if (colon == NULL)
		return "not address:port";
	port = htons((in_port_t)strtonum(colon + 1, 0, 65535, &error));
	if (error != NULL)
		return "port is not a number from 0 to 65535";
	/* libevent has no port 0; it is set below. */
	memset(&o->listen, 0, sizeof(o->listen));
	if ((size_t)(colon - value) >= sizeof(host) ||
	    snprintf(host, sizeof(host), "%.*s", (int)(colon - value), value) <
		1 ||
	    evutil_parse_sockaddr_port(host, sa, &len) == -1)
		return "address is not numeric";
	/* The port stands at the same place in both families. */
	((struct sockaddr_in *)&o->listen)->sin_port = port;
	o->listen_len = (socklen_t)len;
	o->loopback = address_is_loopback(&o->listen);
	return NULL;
}

static const char *
parse_user(struct options *o, const char *value)
{
	const char *colon = strchr(value, ':');
	const char *p;

	if (colon == NULL || colon[1] == '\0')
		return "not id:login";
	if (colon == value || (size_t)(colon - value) >= sizeof(o->user_id) ||
	    strspn(value, "0123456789") != (size_t)(colon - value))
		return "id is not a number";
	for (p = colon + 1; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return "login has characters that a header cannot";
	(void)snprintf(o->user_id, sizeof(o->user_id), "%.*s",
	    (int)(colon - value), value);
	o->user_login = colon + 1;
	return NULL;
}

static const char *
parse_message_max(struct options *o, const char *value)
{
	const char *error;

	o->message_max = (size_t)strtonum(value, 1024, INT_MAX / 2, &error);
	return error;
}

static const char *
parse_token(struct options *o, const char *value)
{
	o->token = value;
	return *value == '\0' ? "empty" : NULL;
}

static const char *
parse_token_file(struct options *o, const char *value)
{
	o->token_file = value;
	return NULL;
}

static const char *
parse_password_file(struct options *o, const char *value)
{
	o->password_file = value;
	return NULL;
}

static const char *
parse_duratii(struct options *o, const char *value)
{
	(void)value;
	o->duratii = true;
	return NULL;
}

static const struct {
	const char *name;
	int has_arg;
	const char *(*parse)(struct options *, const char *);
} table[] = {
	{ "listen", required_argument, parse_listen },
	{ "token", required_argument, parse_token },
	{ "token-file", required_argument, parse_token_file },
	{ "user", required_argument, parse_user },
	{ "password-file", required_argument, parse_password_file },
	{ "message-max", required_argument, parse_message_max },
	{ "duratii", no_argument, parse_duratii },
};
#define NOPTIONS (sizeof(table) / sizeof(table[0]))

static void
options_default(struct options *o)
{
	memset(o, 0, sizeof(*o));
	(void)parse_listen(o, default_listen);
	(void)parse_user(o, "1:local");
	o->message_max = OPTIONS_MESSAGE_MAX;
	o->token = getenv("TETHER_HUB_TOKEN");
	if (o->token != NULL && *o->token == '\0')
		o->token = NULL;
}

/* Checks that concern more than one option. */
static enum options_result
options_check(const struct options *o, char *error, size_t size)
{
	if (o->loopback || o->password_file != NULL)
		return OPTIONS_OK;
	(void)snprintf(error, size,
	    "--listen: others can reach this address: "
	    "--password-file is needed");
	return OPTIONS_BAD;
}

enum options_result
options_parse(
    struct options *o, int argc, char *argv[], char *error, size_t size)
{
	struct option options[NOPTIONS + 1] = { 0 };
	const char *why;
	int ch, i;

	options_default(o);
	for (i = 0; i < (int)NOPTIONS; i++) {
		options[i].name = table[i].name;
		options[i].has_arg = table[i].has_arg;
		options[i].val = UCHAR_MAX + 1 + i;
	}
	opterr = 0;
	optind = 0; /* tests parse more than once */
	while ((ch = getopt_long(argc, argv, ":hVv", options, NULL)) != -1) {
		switch (ch) {
		case 'h':
			return OPTIONS_HELP;
		case 'V':
			return OPTIONS_VERSION;
		case 'v':
			o->verbose++;
			continue;
		case ':':
			(void)snprintf(error, size, "%s: value is missing",
			    argv[optind - 1]);
			return OPTIONS_BAD;
		case '?':
			(void)snprintf(error, size, "%s: unknown option",
			    argv[optind - 1]);
			return OPTIONS_BAD;
		default:
			break;
		}
		i = ch - UCHAR_MAX - 1;
		if ((why = table[i].parse(o, optarg)) != NULL) {
			(void)snprintf(
			    error, size, "--%s: %s", table[i].name, why);
			return OPTIONS_BAD;
		}
	}
	if (optind < argc) {
		(void)snprintf(
		    error, size, "%s: unexpected argument", argv[optind]);
		return OPTIONS_BAD;
	}
	return options_check(o, error, size);
}
