#ifndef HUB_SERVER_H
#define HUB_SERVER_H

struct hub;

/*
 * Start the HTTP server on the address that the options name; fatal() on
 * failure.  Returns its port.
 */
int server_start(struct hub *);

/* Stop it, dropping all that is connected to it. */
void server_stop(struct hub *);

#endif
