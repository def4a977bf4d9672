#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/options.h"
#include "tetherd/parse.h"

static void usage(void) __attribute__((noreturn));

static void
usage(void)
{
	fprintf(stderr,
	    "usage: tetherd [-dnVv] [-D name=value] [-e file] [-f file]\n");
	exit(1);
}

/* The last one counts. */
static void
put_file(char **where, const char *path)
{
	free(*where);
	*where = strdup(path);
	if (*where == NULL)
		fatal("strdup");
}

/* The value may be a secret. */
static void
define(struct options *o, const char *definition)
{
	const char *why = macros_define(o->macros, definition);

	if (why == NULL)
		return;
	fprintf(stderr, "tetherd: -D %.*s: %s\n", (int)strcspn(definition, "="),
	    definition, why);
	usage();
}

static void
parse_option(struct options *o, int ch)
{
	switch (ch) {
	case 'D':
		define(o, optarg);
		break;
	case 'd':
		o->sources.log_to_stderr = true;
		break;
	case 'e':
		put_file(&o->env_file, optarg);
		break;
	case 'f':
		put_file(&o->file, optarg);
		break;
	case 'n':
		o->check++;
		break;
	case 'V':
		printf("tetherd %s\n", TETHERD_VERSION);
		exit(0);
	case 'v':
		o->sources.verbose++;
		break;
	default:
		usage();
	}
}

void
options_parse(struct options *o, int argc, char **argv)
{
	int ch;

	memset(o, 0, sizeof(*o));
	o->macros = macros_new();
	o->sources.macros = o->macros;
	while ((ch = getopt(argc, argv, "D:de:f:nVv")) != -1)
		parse_option(o, ch);
	if (optind != argc)
		usage();
	o->sources.file = o->file;
	o->sources.env_file = o->env_file;
}

void
options_free(struct options *o)
{
	free(o->env_file);
	free(o->file);
	macros_free(o->macros);
	memset(o, 0, sizeof(*o));
}
