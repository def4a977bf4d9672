#ifndef PROXYD_QUERY_H
#define PROXYD_QUERY_H

/*
 * Take all members of that name out of the query of a request target, also
 * those whose name is percent-encoded (URL standard, "application/
 * x-www-form-urlencoded parsing").  A query that is left empty goes, too.
 */
void query_remove(char *target, const char *name);

/* One character of a query, decoded but for '+', and move past it. */
char query_next(const char **);

#endif
