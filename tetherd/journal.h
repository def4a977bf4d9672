#ifndef TETHERD_JOURNAL_H
#define TETHERD_JOURNAL_H

/*
 * Where the parent logs to, as the settings say: standard error, a file, or
 * syslog.
 */

struct parent_conf;

/* At start; fatal when the file cannot be opened. */
void journal_start(const struct parent_conf *);

/*
 * A reload: open what next names, if that is something else.  Returns NULL,
 * or why it cannot be, valid until the next call.  Then go on with it, or
 * forget it.
 */
const char *journal_stage(
    const struct parent_conf *now, const struct parent_conf *next);
void journal_switch(
    const struct parent_conf *now, const struct parent_conf *old);
void journal_drop(void);

/* Open the file anew: it was moved away.  If that fails, the old one stays. */
void journal_reopen(const struct parent_conf *);

#endif
