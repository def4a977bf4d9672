#include "common/program.h"

const char *
program_name(enum program program)
{
	static const char *const names[PROGRAM_COUNT] = {
		[PROGRAM_PARENT] = "tetherd",
		[PROGRAM_CONNECTOR] = "connector",
		[PROGRAM_PROXYD] = "proxyd",
		[PROGRAM_AUTHD] = "authd",
		[PROGRAM_DIALER] = "dialer",
		[PROGRAM_LAUNCHER] = "launcher",
		[PROGRAM_TETHERCTL] = "tetherctl",
	};

	if ((unsigned)program >= PROGRAM_COUNT)
		return "?";
	return names[program];
}
