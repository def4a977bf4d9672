#include <fcntl.h>

#include "sandbox/calls.h"

/*
 * Authd, dialer and tetherd use files by their names: which ones is up to
 * Landlock, of which O_PATH would be none of its business.
 */
static const struct call list[] = {
	ALLOW_IF(open, LACKS(1, O_PATH)),
	ALLOW_IF(openat, LACKS(2, O_PATH)),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(newfstatat),
	ALLOW(access),
	ALLOW(faccessat),
	ALLOW(faccessat2),
	ALLOW(readlink),
	ALLOW(readlinkat),
	ALLOW(pread64),
};

const struct calls calls_files = CALLS(list);
