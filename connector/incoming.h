#ifndef CONNECTOR_INCOMING_H
#define CONNECTOR_INCOMING_H

struct connector;
struct evbuffer;

/*
 * A message from the orchestrator: understood, checked and acted on.  What
 * is malformed gets a line in the log and nothing else.  Text may be drained.
 */
void incoming_message(struct connector *, struct evbuffer *text);

/* The same for what is not text, and so not of the protocol. */
void incoming_binary(struct connector *);

#endif
