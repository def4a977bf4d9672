#ifndef CONNECTOR_CONNECTION_INTERNAL_H
#define CONNECTOR_CONNECTION_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/client_id.h"
#include "connector/backoff.h"
#include "connector/connection.h"
#include "connector/heartbeat.h"

/*
 * What the files of the connection share: connection.c has its states and
 * what is wished of it, connection_open.c what happens to it from outside,
 * connection_pending.c what is done without a token, connection_status.c what
 * is told of it.
 */

/* From the first SYN to the finished upgrade, and from there to registered. */
#define CONNECT_MS 30000

/* Room for "[address]:65535". */
#define CONNECTION_HOST_SIZE 300

/* "pending_" and 128 random bits. */
#define PENDING_ID_SIZE sizeof("pending_0123456789abcdef0123456789abcdef")

/* Nobody has more to say to an instance that has no token. */
#define PENDING_MESSAGE_MAX (64 * 1024)

enum state {
	STATE_HELD,	   /* until the operator asks, or the peers are there */
	STATE_WAITING,	   /* for the next attempt */
	STATE_DIALING,	   /* the parent sees to a socket */
	STATE_HANDSHAKE,   /* TLS and upgrade */
	STATE_REGISTERING, /* the WebSocket is open */
	STATE_PENDING,	   /* the same, for somebody to claim us */
	STATE_UP,
	STATE_CLOSING,
};

enum then {
	THEN_RETRY,
	THEN_LATER, /* after the longest delay */
	THEN_CONNECT,
	THEN_HOLD, /* as the orchestrator wants it */
	THEN_STAY, /* as the operator wants it */
	THEN_FINISH
};

struct connection {
	struct connector *connector;
	const struct connection_ops *ops;
	void *arg;
	enum state state;
	struct timespec since; /* CLOCK_BOOTTIME */
	char reason[256];      /* of the last end, or "" */
	enum then then;	       /* after STATE_CLOSING */
	bool started;
	bool stays_down; /* once started */
	bool refusal_logged;
	bool wants_token; /* authd was asked, and has not answered */
	/* From the upgrade on, without a token; else "". */
	char pending_id[PENDING_ID_SIZE];
	/* A token that authd has not confirmed, or NULL. */
	struct grant {
		char *token;
		char client_id[CLIENT_ID_MAX + 1];
		char host[CONNECTION_HOST_SIZE]; /* that granted it */
		bool sent_again; /* to the authd that is there now */
	} * grant;
	struct event *timer;
	struct backoff backoff;
	struct heartbeat heartbeat;
	uint64_t attempt; /* the id of DIAL and TOKEN_GET, to match answers */
	int fd;		  /* of the next two, which own it; -1 without them */
	struct handshake *handshake; /* until there is a ws */
	struct ws *ws;
	uint64_t received; /* bytes, by the ws */
	uint64_t sent;	   /* bytes that the kernel took */
	uint64_t sent_before_ping;
	uint64_t received_before_ping;
	unsigned pongs_delayed; /* since the last pong */
};

void connection_set_state(struct connection *, enum state);

/*
 * Have the kernel give up what the other end does not acknowledge, when the
 * heartbeat would have, which knows nothing of a socket that is closing.
 */
void connection_limit_silence(const struct connection *);

/* Why it, or an attempt, ended; for the operator. */
void connection_set_reason(struct connection *, const char *);

/* Ask for a token that is about to be sent; for handshake_ops, too. */
void connection_ask_token(void *connection);

/* Send the upgrade; target is wiped and freed, NULL when out of memory. */
void connection_send_upgrade(struct connection *, char *target);

/* authd has no token for us: ask for one to be granted, or give up. */
void connection_on_no_token(struct connection *);

/* The WebSocket for that is open. */
void connection_start_pending(struct connection *);

/* authd has it, or nobody wants it any more. */
void connection_forget_grant(struct connection *);

/* The orchestrator, as "host:port". */
void connection_host(
    const struct connection *, char host[CONNECTION_HOST_SIZE]);

void connection_log_registered(const struct connection *);
void connection_log_pending(const struct connection *);

/* Wait for the next attempt; what there was of the last one is dropped. */
void connection_wait(struct connection *, uint32_t ms);

/*
 * The end of a connection or an attempt, which is closed as it should be
 * unless the other end does not seem to be there.
 */
void connection_lose(struct connection *, enum then, const char *why);

#endif
