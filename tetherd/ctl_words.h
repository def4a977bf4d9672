#ifndef TETHERD_CTL_WORDS_H
#define TETHERD_CTL_WORDS_H

#include <stdint.h>
#include <stdio.h>

#include "common/admin.h"
#include "common/msg.h"

/*
 * The words of a command: each may be shortened as long as it is clear what
 * is meant, but for names.
 */

struct ctl_command {
	enum msg_type type;
	uint32_t view;	  /* of MSG_CTL_SHOW */
	uint32_t level;	  /* of MSG_CTL_LOG */
	uint32_t program; /* of MSG_CTL_LOG; CONTROL_ALL without a word */
	struct admin_request admin; /* of MSG_CTL_ADMIN */
};

/*
 * Read the words.  Returns 0, or -1 after writing to the file what is wrong,
 * and what would be right there.
 */
int ctl_words_parse(
    int nwords, const char *const *words, struct ctl_command *, FILE *);

#endif
