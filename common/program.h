#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

/* The programs that hold an end of a channel. */
enum program {
	PROGRAM_PARENT,
	PROGRAM_CONNECTOR,
	PROGRAM_PROXYD,
	PROGRAM_AUTHD,
	PROGRAM_DIALER,
	PROGRAM_LAUNCHER,
	PROGRAM_TETHERCTL, /* not a child */
	PROGRAM_COUNT
};

/* The name that log lines, titles and executables use; "?" if unknown. */
const char *program_name(enum program);

#endif
