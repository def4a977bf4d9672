#ifndef PROXYD_FIELD_H
#define PROXYD_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* What the header fields of requests and responses have in common. */

/* A token (RFC 9110 section 5.6.2): a method or a field's name. */
bool field_is_token(const char *s, size_t len);

/* A field's value: no control character but the tab. */
bool field_is_value(const char *s, size_t len);

/* Shorten *len and advance *s past spaces and tabs at both ends. */
void field_trim(const char **s, size_t *len);

/*
 * Whether a field of that name, any case, is for one connection only:
 * RFC 9110 section 7.6.1 and the older custom, all "proxy-*" included.
 */
bool field_is_hop(const char *name);

/*
 * The end of an item of a list: the next separator that is not in a
 * quoted-string (RFC 9110 section 5.6.4), or the NUL.
 */
const char *field_item_end(const char *s, char separator);

/* Whether name, any case, is a member of a comma-separated list. */
bool field_list_has(const char *list, const char *name);

#endif
