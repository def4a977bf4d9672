#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>

#include "proxyd/body.h"
#include "proxyd/escape.h"

/*
 * How fast bodies become JSON strings, beside memcpy(3) of the same bytes:
 * of a file that is named, or of made-up text of each sort.
 */

#define SIZE   (8 << 20)
#define PIECE  16384 /* as they come from libcurl */
#define ROUNDS 20

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Sinks for results, so that nothing measured is optimized away. */
static volatile char sink;

static void
run_memcpy(const uint8_t *in, size_t len, char *out)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = len - i < PIECE ? len - i : PIECE;
		memcpy(out, in + i, n);
		sink = out[n - 1];
	}
}

static void
run_escape(const uint8_t *in, size_t len, char *out)
{
	struct escape e = { 0 };
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = len - i < PIECE ? len - i : PIECE;
		sink =
		    out[escape_feed(&e, in + i, &n, out, PIECE * ESCAPE_WORST) -
			1];
		if (e.invalid)
			break;
	}
}

static void
run_body(const uint8_t *in, size_t len, char *out)
{
	struct body body;
	size_t i, n;

	(void)out;
	if (body_start(&body, true, SIZE_MAX) == -1)
		abort();
	for (i = 0; i < len; i += n) {
		n = len - i < PIECE ? len - i : PIECE;
		if (body_feed(&body, in + i, n) == -1)
			abort();
	}
	if (body_finish(&body) == -1)
		abort();
	body_clear(&body);
}

static double
measure(void (*run)(const uint8_t *, size_t, char *), const uint8_t *in,
    size_t len, char *out)
{
	double start, best = 1e9, took;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		start = now();
		run(in, len, out);
		took = now() - start;
		if (took < best)
			best = took;
	}
	return (double)len / best / 1e6;
}

static void
report(const char *name, const uint8_t *in, size_t len, char *out)
{
	printf("%-24s memcpy %6.0f  escape %6.0f  body %6.0f MB/s\n", name,
	    measure(run_memcpy, in, len, out),
	    measure(run_escape, in, len, out), measure(run_body, in, len, out));
}

static void
report_file(const char *name, uint8_t *in, char *out)
{
	FILE *f = fopen(name, "r");
	size_t len;

	if (f == NULL || (len = fread(in, 1, SIZE, f)) == 0) {
		perror(name);
		exit(1);
	}
	fclose(f);
	report(name, in, len, out);
}

int
main(int argc, char *argv[])
{
	static const char *const samples[] = {
		"Long runs in which nothing has to be escaped at all, ever. ",
		"{\"id\":17,\"name\":\"a \\\"b\\\"\",\"list\":[1,2],\"x\":\"y\"}\n",
		"function(e,t){return e?\"a\":t+'b'},n=r(12);\n",
		"Gr\xc3\xbc\xc3\x9f"
		"e und \xe2\x80\x9eZitate\xe2\x80\x9c. ",
		"\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c",
		"\n\n\n\n",
	};
	uint8_t *in = malloc(SIZE);
	char *out = malloc(PIECE * ESCAPE_WORST);
	size_t i, k, len;

	if (in == NULL || out == NULL)
		return 1;
	if (argc > 1)
		report_file(argv[1], in, out);
	for (i = 0; argc == 1 && i < sizeof(samples) / sizeof(samples[0]);
	     i++) {
		len = strlen(samples[i]);
		for (k = 0; k + len <= SIZE; k += len)
			memcpy(in + k, samples[i], len);
		/* The rest is cut, so that no character is. */
		report((char[]){ 's', 'a', 'm', 'p', 'l', 'e', ' ',
			   (char)('1' + i), '\0' },
		    in, k, out);
	}
	free(in);
	free(out);
	return 0;
}
