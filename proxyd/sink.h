#ifndef PROXYD_SINK_H
#define PROXYD_SINK_H

#include <stddef.h>

/*
 * Where a rewriter writes to.  write() takes all of the data, which is valid
 * only inside, and returns 0; or -1, and the rewriter passes that on at once
 * and is not fed again.
 */
struct sink {
	int (*write)(void *arg, const void *data, size_t len);
	void *arg;
};

static inline int
sink_write(const struct sink *sink, const void *data, size_t len)
{
	return len == 0 ? 0 : sink->write(sink->arg, data, len);
}

#endif
