#ifndef PROXYD_RUNS_H
#define PROXYD_RUNS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What the upstream works at: as it says itself when it is asked, which is
 * done now and then (setting "watch runs"), and in between as chat sockets
 * tell (chat_tap.h).
 */

struct proxyd;
struct runs;

/* Fatal when out of memory. */
struct runs *runs_new(struct proxyd *);
void runs_free(struct runs *);

/* Something runs; activity_update() is called whenever that changes. */
bool runs_any(const struct runs *);

/* For the operator: "2, says the web app (cloudcli)" or the like. */
const char *runs_text(const struct runs *);

/*
 * What to know of: the link is up or down, there is another upstream, the
 * settings changed, authd came (back), a tunnel or chat opened or closed.
 */
void runs_on_link(struct runs *);
void runs_on_upstream(struct runs *);
void runs_on_settings(struct runs *);
void runs_on_use(struct runs *);

#endif
