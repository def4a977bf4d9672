#ifndef AUTHD_POLICY_H
#define AUTHD_POLICY_H

#include <stdint.h>

struct authd_conf;

/*
 * Who may use this instance.  Returns NULL for those who may, or the
 * reason, in words for the person, why not.  What cannot be checked is
 * refused.
 */
const char *policy_check(
    const struct authd_conf *, uint64_t github_id, const char *login);

#endif
