#ifndef HUB_OPTIONS_H
#define HUB_OPTIONS_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_MESSAGE_MAX (32 * 1024 * 1024) /* as Cloudflare has it */

/* What the command line and the environment say.  Strings are theirs. */
struct options {
	struct sockaddr_storage listen;
	socklen_t listen_len;
	bool loopback; /* the address can be reached from this host only */
	const char *token;
	const char *token_file;
	const char *password_file;
	char user_id[21];
	const char *user_login;
	size_t message_max;
	bool duratii;
	int verbose;
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_BAD };

/*
 * Parse the arguments.  OPTIONS_BAD comes with one line in error that names
 * the option and what is wrong with it.
 */
enum options_result options_parse(
    struct options *, int argc, char *argv[], char *error, size_t error_size);

/* What -h prints. */
extern const char options_usage[];

#endif
