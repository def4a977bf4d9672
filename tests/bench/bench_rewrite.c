#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxyd/prefix.h"
#include "proxyd/rewrite_css.h"
#include "proxyd/rewrite_html.h"
#include "proxyd/rewrite_js.h"

/*
 * How fast bodies are rewritten, beside memchr(3) for a byte that is not
 * there and memcpy(3), over the same bytes in the same pieces: of files that
 * are named, or of made-up text.  Medians of rounds in which all three run
 * in turn, so that a busy machine slows them alike.
 */

#define FILE_MAX  (64 << 20)
#define MADE_UP	  (4 << 20)
#define ROUND_MIN (8 << 20) /* bytes; a small file is done several times */
#define PIECE	  16384	    /* as they come from libcurl */
#define ROUNDS	  21

struct text {
	const char *in;
	size_t len;
	char absent; /* a byte that is not in it */
	int (*rewrite)(const struct text *, const struct sink *);
};

static struct prefix prefix;

/* Results, so that nothing measured is optimized away. */
static volatile size_t counted;

static int
count(void *arg, const void *data, size_t len)
{
	size_t *total = arg;

	(void)data;
	*total += len;
	return 0;
}

static int
run_html(const struct text *text, const struct sink *sink)
{
	static const char injection[] = "<script>injected()</script>";
	struct rewrite_html html;
	size_t i, n;

	rewrite_html_init(
	    &html, &prefix, injection, sizeof(injection) - 1, sink);
	for (i = 0; i < text->len; i += n) {
		n = text->len - i < PIECE ? text->len - i : PIECE;
		if (rewrite_html_feed(&html, text->in + i, n) == -1)
			return -1;
	}
	return rewrite_html_finish(&html);
}

static int
run_css(const struct text *text, const struct sink *sink)
{
	struct rewrite_css css;
	size_t i, n;

	rewrite_css_init(&css, &prefix, sink);
	for (i = 0; i < text->len; i += n) {
		n = text->len - i < PIECE ? text->len - i : PIECE;
		if (rewrite_css_feed(&css, text->in + i, n) == -1)
			return -1;
	}
	return rewrite_css_finish(&css);
}

static int
run_js(const struct text *text, const struct sink *sink)
{
	struct rewrite_js js;
	size_t i, n;

	rewrite_js_init(&js, &prefix, sink);
	for (i = 0; i < text->len; i += n) {
		n = text->len - i < PIECE ? text->len - i : PIECE;
		if (rewrite_js_feed(&js, text->in + i, n) == -1)
			return -1;
	}
	return rewrite_js_finish(&js);
}

static void
measure_rewrite(const struct text *text)
{
	size_t total = 0;
	struct sink sink = { count, &total };

	if (text->rewrite(text, &sink) == -1)
		abort();
	counted = total;
}

static void
measure_memchr(const struct text *text)
{
	size_t i, n;

	for (i = 0; i < text->len; i += n) {
		n = text->len - i < PIECE ? text->len - i : PIECE;
		if (memchr(text->in + i, text->absent, n) != NULL)
			abort();
		counted = i;
	}
}

static void
measure_memcpy(const struct text *text)
{
	static char out[PIECE];
	size_t i, n;

	for (i = 0; i < text->len; i += n) {
		n = text->len - i < PIECE ? text->len - i : PIECE;
		memcpy(out, text->in + i, n);
		counted = (size_t)((volatile char *)out)[n - 1];
	}
}

/* Megabytes per second of one round. */
static double
speed(void (*measure)(const struct text *), const struct text *text)
{
	size_t times = 1 + ROUND_MIN / text->len, i;
	struct timespec start, end;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < times; i++)
		measure(text);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)times * (double)text->len / 1e6 /
	       ((double)(end.tv_sec - start.tv_sec) +
		   (double)(end.tv_nsec - start.tv_nsec) / 1e9);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static void
report(const char *name, const struct text *text)
{
	double chr[ROUNDS], cpy[ROUNDS], rewrite[ROUNDS], ratio[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		chr[i] = speed(measure_memchr, text);
		cpy[i] = speed(measure_memcpy, text);
		rewrite[i] = speed(measure_rewrite, text);
		ratio[i] = chr[i] / rewrite[i];
	}
	printf("%-28.28s %8zu bytes  memchr %6.0f  memcpy %6.0f  "
	       "rewrite %6.0f MB/s  %5.1f times memchr\n",
	    name, text->len, median(chr), median(cpy), median(rewrite),
	    median(ratio));
}

/* A byte for memchr(3) to look for. */
static char
find_absent(const char *in, size_t len)
{
	int c;

	for (c = 1; c < 256; c++)
		if (memchr(in, c, len) == NULL)
			return (char)c;
	return '\0';
}

static void
set_text(struct text *text, const char *name, const char *in, size_t len)
{
	const char *suffix = strrchr(name, '.');

	if (suffix != NULL && strcmp(suffix, ".html") == 0)
		text->rewrite = run_html;
	else if (suffix != NULL && strcmp(suffix, ".css") == 0)
		text->rewrite = run_css;
	else if (suffix != NULL && strcmp(suffix, ".js") == 0)
		text->rewrite = run_js;
	else
		text->rewrite = NULL;
	text->in = in;
	text->len = len;
	text->absent = find_absent(in, len);
}

static void
report_file(const char *path, char *in)
{
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	struct text text;
	size_t len;

	if (f == NULL || (len = fread(in, 1, FILE_MAX, f)) == 0) {
		perror(path);
		exit(1);
	}
	fclose(f);
	set_text(&text, path, in, len);
	if (text.rewrite == NULL) {
		fprintf(stderr, "%s: not .html, .css or .js\n", path);
		exit(1);
	}
	report(slash != NULL ? slash + 1 : path, &text);
}

static void
report_made_up(char *in)
{
	static const char *const samples[][2] = {
		{ "made-up.html",
		    "<p class=\"a b\">Prose, and <a href='/c?d=e'>a link</a>,"
		    " and\nmore of it, as long as usual in a page.</p>\n"
		    "<li><img src=\"/assets/f.png\" alt=\"\"> f</li>\n" },
		{ "made-up.css",
		    ".sm\\:flex{display:flex;color:rgb(1 2 3/var(--o))}\n"
		    "@media (min-width:640px){.a>b:not(c){margin:0 auto}}\n"
		    ".d{background:url(/assets/d.png) no-repeat}\n" },
		{ "made-up.js",
		    "function a(e,t){return e?\"b\":t+'c'}const n=r(12)/4;\n"
		    "n.d(e,{f:()=>g,h:()=>i});let j=k.l(`m ${n} o`);\n"
		    "fetch(\"/api/projects\").then(e=>e.json());\n" },
	};
	size_t i, n, k;
	struct text text;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		n = strlen(samples[i][1]);
		for (k = 0; k + n <= MADE_UP; k += n)
			memcpy(in + k, samples[i][1], n);
		set_text(&text, samples[i][0], in, k);
		report(samples[i][0], &text);
	}
}

int
main(int argc, char *argv[])
{
	char *in = malloc(FILE_MAX);
	int i;

	if (in == NULL || !prefix_init(&prefix, "/clients/box/proxy"))
		return 1;
	for (i = 1; i < argc; i++)
		report_file(argv[i], in);
	if (argc == 1)
		report_made_up(in);
	free(in);
	return 0;
}
