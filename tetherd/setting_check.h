#ifndef TETHERD_SETTING_CHECK_H
#define TETHERD_SETTING_CHECK_H

/*
 * What can be wrong with a text.  Each returns NULL, or says it; what is said
 * of a value that may be repeated begins with "not".
 */
const char *check_token(const char *);
const char *check_client_id(const char *);
const char *check_http_url(const char *);
const char *check_api_url(const char *);
const char *check_address(const char *);
const char *check_socket(const char *);
const char *check_group(const char *);

/* Items of lists. */
const char *check_login(const char *);
const char *check_team(const char *);
const char *check_no_proxy(const char *);
const char *check_deny_path(const char *);

#endif
