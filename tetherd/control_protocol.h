#ifndef TETHERD_CONTROL_PROTOCOL_H
#define TETHERD_CONTROL_PROTOCOL_H

#include <stddef.h>

/*
 * What tetherd and tetherctl agree on, besides the messages:
 *
 *	CTL_HELLO	u32 version (MSG_PROTOCOL_VERSION)
 *	CTL_WELCOME	u32 version, str version of tetherd
 *	CTL_SHOW	u32 control_view
 *	CTL_LOG		u32 control_level, u32 program or CONTROL_ALL
 *	CTL_ADMIN	see admin.h; the answer has a row for each person or
 *			token
 *	CTL_ROW		fields up to the end: u8 control_kind, str name, and
 *			the value: str for a text, nothing for none, else u64
 *	CTL_TEXT	str, a piece of a longer text
 *	CTL_DONE	u32 control_code, str for a person to read
 *
 * tetherctl says CTL_HELLO and is welcome; then each of its commands is
 * answered by rows or texts, and CTL_DONE.  A CTL_DONE without a command
 * says why there will be no answers.
 */

/* What can be shown: rows that are one list, a row for each line of a table
 * (processes, limits), or text (the configuration). */
enum control_view {
	CONTROL_STATUS,
	CONTROL_PROCESSES,
	CONTROL_LIMITS,
	CONTROL_CONFIG,
	CONTROL_STATS,
	CONTROL_VIEW_COUNT
};

/* How much is logged. */
enum control_level {
	CONTROL_BRIEF,
	CONTROL_VERBOSE,
	CONTROL_TRACE,
	CONTROL_LEVEL_COUNT
};

/* In place of a program: all of them, tetherd included. */
#define CONTROL_ALL PROGRAM_COUNT

enum control_kind {
	CONTROL_KIND_NONE, /* nobody knows, or there is no such thing */
	CONTROL_KIND_TEXT,
	CONTROL_KIND_NUMBER,
	CONTROL_KIND_BYTES,
	CONTROL_KIND_TIME,  /* seconds that have passed */
	CONTROL_KIND_SINCE, /* the same; when that began is of interest */
	CONTROL_KIND_MS,    /* milliseconds that are allowed */
	CONTROL_KIND_FLAG,  /* 0 or 1 */
	CONTROL_KIND_DATE,  /* seconds since 1970 */
	CONTROL_KIND_COUNT
};

enum control_code {
	CONTROL_OK,
	CONTROL_DENIED,	 /* not for this user */
	CONTROL_FAILED,	 /* the command; the text says why */
	CONTROL_REFUSED, /* too many clients, or of another version */
};

/* The most bytes of a name and of a value in a row, with the NUL. */
#define CONTROL_NAME_SIZE  64
#define CONTROL_VALUE_SIZE 512

/* The most bytes of a text in one message, with the NUL; and of CTL_DONE. */
#define CONTROL_TEXT_SIZE 32768
#define CONTROL_DONE_SIZE 1024

/* The most bytes of all texts of an answer, and rows. */
#define CONTROL_ANSWER_MAX (1024 * 1024)
#define CONTROL_ROWS_MAX   1000

/* The usual places of the socket. */
#define CONTROL_SYSTEM_DIR "/run/tetherd"
#define CONTROL_NAME	   "tetherd.sock"

/*
 * The path in the folder that an environment variable names, the first one
 * if it is a list with colons.  Returns -1 if there is none, or it does not
 * fit.
 */
int control_path_from(const char *variable, char *path, size_t size);

#endif
