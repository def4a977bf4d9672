#ifndef PROXYD_PAGE_H
#define PROXYD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/prefix.h"
#include "proxyd/rewrite.h"

/*
 * What we put into the web app's pages: the script that makes it live under
 * the prefix, and what that is told about the page.
 */

/* Where the script is to be had as a file, under the prefix. */
#define PAGE_SCRIPT_PATH "/__tether/page.js"

/* What the script is told. */
struct page {
	const struct prefix *prefix;
	const char *client_id;
	const char *handle; /* "" for none */
	const char *login;  /* "" if nobody is known */
	bool external;	    /* the script as a file, not inline */
	bool base64;	    /* bytes come as that: the worker undoes it */
	/*
	 * Where the web app is to be had without us, and the JWT of the person
	 * for there; both NULL unless the page is to go there by itself.
	 */
	const char *callback;
	const char *token;
};

/* The script, and a name for this version of it and all rewriting. */
struct rewrite_insert page_script(void);
const char *page_version(void);

/* "sha256-…", as a Content-Security-Policy names the inline script. */
const char *page_script_hash(void);

/*
 * What to inject into a page, and what to put in front of a service worker.
 * The text is pure ASCII, so that the page's charset does not matter, and to
 * be freed; NULL when out of memory.
 */
char *page_injection(const struct page *);
char *page_worker(const struct page *);

#endif
