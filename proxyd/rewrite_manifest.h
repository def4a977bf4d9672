#ifndef PROXYD_REWRITE_MANIFEST_H
#define PROXYD_REWRITE_MANIFEST_H

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

struct evbuffer;

/* A manifest of more bytes is copied as it is. */
#define REWRITE_MANIFEST_MAX (256 * 1024)

/*
 * Web app manifests (W3C, "Web Application Manifest"): puts the prefix in
 * front of the members that are rooted URLs.  Gathers the whole file, which
 * is small; what is too large, or no JSON object, is copied as it is.
 */
struct rewrite_manifest {
	const struct prefix *prefix;
	const struct sink *sink;
	struct evbuffer *text; /* NULL once it is too large */
};

/* Both pointers must outlive it.  -1 if out of memory. */
int rewrite_manifest_init(
    struct rewrite_manifest *, const struct prefix *, const struct sink *);
void rewrite_manifest_clear(struct rewrite_manifest *);

/* 0, or -1 if the sink said so or out of memory. */
int rewrite_manifest_feed(
    struct rewrite_manifest *, const char *in, size_t len);
int rewrite_manifest_finish(struct rewrite_manifest *);

#endif
