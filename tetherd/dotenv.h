#ifndef TETHERD_DOTENV_H
#define TETHERD_DOTENV_H

/*
 * The .env format: lines of NAME=VALUE, with "export " in front or not.  A
 * value is bare, up to white space and '#', or in single, double or back
 * quotes; double quotes know \n, \" and \\.
 */

struct dotenv_ops {
	/* A setting; the strings are valid inside the call only. */
	void (*found)(
	    void *arg, unsigned line, const char *name, const char *value);
	/* A line that is not of the format. */
	void (*wrong)(void *arg, unsigned line, const char *why);
};

/* Parse a NUL-terminated text to its end; it is changed in place. */
void dotenv_parse(char *text, const struct dotenv_ops *, void *arg);

#endif
