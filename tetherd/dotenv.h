#ifndef TETHERD_DOTENV_H
#define TETHERD_DOTENV_H

/*
 * The .env format: lines of NAME=VALUE, with "export " in front or not.  A
 * value is bare, up to white space and '#', or in single, double or back
 * quotes; double quotes know \n, \" and \\.
 */

/* Called for each setting; returns NULL or what is wrong with it. */
typedef const char *(*dotenv_found)(
    void *arg, const char *name, const char *value);

/*
 * Parse a NUL-terminated text, which is changed in place.  Returns NULL, or
 * what found() or the format says, with the number of the line in *line.
 */
const char *dotenv_parse(
    char *text, dotenv_found found, void *arg, unsigned *line);

#endif
