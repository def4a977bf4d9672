#ifndef PROXYD_CHAT_H
#define PROXYD_CHAT_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/session.h"
#include "proxyd/sessions.h"
#include "proxyd/user_auth.h"

/*
 * One chat session: what a browser says under one request_id goes to a
 * WebSocket of the upstream, and what comes back becomes replies to the
 * user_request that began it.
 */

/* What may wait for the upstream, in messages and bytes. */
#define CHAT_MESSAGES_MAX 256
#define CHAT_BYTES_MAX	  (16 * 1024 * 1024)

/* How long the upstream may take to open its socket. */
#define CHAT_OPEN_MS 30000

/* How long authd is left alone when it could not say who may stay. */
#define CHAT_RETRY_MS 5000

enum chat_state {
	CHAT_ASKING, /* who it is, and whether they may */
	CHAT_OPENING,
	CHAT_OPEN,
	CHAT_OVER /* for the browser; the upstream may still say goodbye */
};

struct chat_message;
struct chat_tap;
struct evbuffer;
struct json_object;
struct proxyd;
struct upstream_socket;
struct user_request;

TAILQ_HEAD(chat_message_list, chat_message);

/* From the browser: the first ones may be with the upstream's socket. */
struct chat_up {
	struct chat_message_list waiting;
	size_t count, bytes;
	int64_t held_noted; /* when one that was held back was, monotonic */
};

/* From the upstream: one message, as far as it came. */
struct chat_down {
	struct evbuffer *text;
	bool too_long; /* what came of it is dropped */
	bool paused;
};

struct chat {
	RB_ENTRY(chat) by_id;	 /* of chats.c, unless it is over; and */
	TAILQ_ENTRY(chat) entry; /* as long as it is there */
	struct proxyd *proxyd;
	enum chat_state state;
	uint64_t number;    /* of the user_request that began it */
	const char *id;	    /* its request_id, copied behind this struct */
	uint64_t github_id; /* whose it is; 0: the instance's own */
	char login[SESSION_LOGIN_MAX];
	enum session_role role;
	struct user_auth_wait auth; /* of the first message */
	struct session_wait check;  /* whether they still may */
	bool unsure;		    /* that, since authd could not say */
	int64_t ask_again_ms;	    /* monotonic, like all here */
	int64_t open_until_ms;
	int64_t used_ms; /* when the last message came, either way */
	struct upstream_socket *socket; /* NULL: not yet, or no more */
	struct chat_tap *tap;		/* as long as there was a socket */
	struct chat_up up;
	struct chat_down down;
	size_t buffered;
	/* It may begin, is over, or (there is no socket then) may be freed: not
	 * at once, it may still be at work. */
	void (*changed)(void *arg, struct chat *);
	void *changed_arg;
	char id_copy[];
};

/* Never NULL: running out of memory here is fatal. */
struct chat *chat_new(struct proxyd *, const struct user_request *,
    void (*changed)(void *arg, struct chat *), void *arg);

/* Free it and its socket, whatever their state; nobody is told. */
void chat_free(struct chat *);

/* Whether chat_free() would interrupt nothing. */
bool chat_is_done(const struct chat *);

/*
 * All of these may end in chat.changed(); they do nothing once it is over.
 */

/* What it began with, and goes on with: the number ends when that is sent. */
void chat_begin(struct chat *, const struct user_request *);
void chat_go_on(struct chat *, const struct user_request *);

/*
 * End it: its number gets the data, which is taken over, as its last reply,
 * the upstream the close code.
 */
void chat_end(struct chat *, struct json_object *data, uint16_t code);
/* The same with a code and a reason as the data. */
void chat_close(
    struct chat *, uint16_t said, const char *reason, uint16_t code);
/* The same for what went wrong; and for people who may not, any more. */
void chat_fail(struct chat *, const char *message);
void chat_deny(struct chat *, const char *message, const char *advice);
/* Nobody is there to be told. */
void chat_abandon(struct chat *);

/* The upstream is elsewhere now: end it if it leads to the old one. */
void chat_move(struct chat *);

/* There are other settings: whether its person may have it at all. */
void chat_check_settings(struct chat *);

/* What was known of people counts no more: ask whether they may stay. */
void chat_check(struct chat *);

/* About once a second. */
void chat_tick(struct chat *, int64_t now_ms);

/* The outbox has room again. */
void chat_continue(struct chat *);

#endif
