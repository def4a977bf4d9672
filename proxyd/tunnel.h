#ifndef PROXYD_TUNNEL_H
#define PROXYD_TUNNEL_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "common/session.h"
#include "common/ws.h"
#include "proxyd/chat_filter.h"
#include "proxyd/close_code.h"
#include "proxyd/reorder.h"
#include "proxyd/window.h"

/*
 * One tunnel: a WebSocket or an event stream of a page, carried by
 * user_requests (tetherd-protocol(7)).  Here are the order and the windows
 * of both directions; what the far end is does not matter.
 *
 * What a tunnel holds is bounded: TUNNEL_OWED_MAX bytes of the page's pieces,
 * here and in the upstream's output, and on the other way the 96 KiB that
 * were read when the window closed.  What a page says where it may only look
 * waits here until it is a whole message, too: CHAT_FILTER_MAX bytes.
 */

/* Bytes of a page's piece; it keeps to less. */
#define TUNNEL_PIECE_MAX 131072

/* Bytes, and pieces, of a page that are not credited yet. */
#define TUNNEL_OWED_MAX	      (1024 * 1024)
#define TUNNEL_OWED_COUNT_MAX 512

/* Bytes of a close frame's reason. */
#define TUNNEL_REASON_MAX CLOSE_REASON_MAX

/*
 * A message that goes on is read in pieces as small as libevent likes: they
 * wait for each other until there are so many bytes, or for so long.
 */
#define TUNNEL_GATHER	 32768
#define TUNNEL_GATHER_MS 1

#define TUNNEL_OPEN_MS	 30000 /* until it is open */
#define TUNNEL_GAP_MS	 10000 /* until a missing piece is there */
#define TUNNEL_PING_MS	 20000
#define TUNNEL_PINGS_MAX 3 /* without an answer */

enum tunnel_kind { TUNNEL_SOCKET, TUNNEL_STREAM };

enum tunnel_state {
	TUNNEL_OPENING,
	TUNNEL_OPEN,
	TUNNEL_OVER /* for the page; the far end may still say goodbye */
};

/* What a far end can do; it is never NULL while one of these is called. */
struct tunnel_far_ops {
	/* Take a piece of a message, whatever the output holds already;
	 * WebSockets only. */
	void (*send)(void *far, const struct piece *);
	bool (*is_writable)(const void *far);
	/* Let no more tunnel_part() come, or again. */
	void (*pause)(void *far);
	void (*resume)(void *far);
	/*
	 * Go, with a close code for the upstream.  Returns false if
	 * tunnel_far_gone() will follow, true if it went at once.
	 */
	bool (*close)(void *far, uint16_t code, const char *reason);
	void (*free)(void *far);
};

/* From the page to the upstream. */
struct tunnel_up {
	struct reorder order;
	bool mute;		   /* who may only look, and so says little */
	struct chat_filter filter; /* of what that is */
	bool fragmented;	   /* a message is unfinished, of this type: */
	enum ws_type type;
	struct piece_list sent; /* with the far end, without their data */
	size_t owed, count;	/* bytes and pieces not credited */
	int64_t gap_since;	/* 0 for no gap */
	bool closing;		/* after so many pieces: */
	uint64_t close_after;
	uint16_t close_code;
	char close_reason[TUNNEL_REASON_MAX + 1];
};

/* From the upstream to the page. */
struct tunnel_down {
	struct window window;
	struct evbuffer *pending; /* read but not sent; of one message */
	enum ws_type type;
	bool fin; /* its end is among that */
	struct event gather;
	bool binary; /* a stream that turned out to be no text */
	bool paused;
};

/* How it ended at the upstream, told when all before it is on its way. */
struct tunnel_end {
	bool known;
	uint16_t code;
	bool clean;
	char reason[SESSION_REASON_MAX + 8];
};

struct proxyd;
struct tunnel_opening; /* what is asked for, until it is decided */
struct tunnel_person;  /* see tunnel_people.h */

struct tunnel {
	RB_ENTRY(tunnel) by_id; /* of tunnels.c, as is: */
	TAILQ_ENTRY(tunnel) entry;
	struct proxyd *proxyd;
	enum tunnel_kind kind;
	enum tunnel_state state;
	uint64_t number;    /* of the user_request that opened it */
	const char *id;	    /* its request_id, copied behind this struct */
	uint64_t github_id; /* whose it is, once that is known */
	char *login;
	char *path; /* of the upstream, for audit.h; NULL if malformed */
	enum session_role role;	      /* ROLE_NOBODY until that is known */
	struct tunnel_person *person; /* NULL until it may be opened */
	TAILQ_ENTRY(tunnel) of_person;
	char advice[SESSION_REASON_MAX]; /* what helps against its end, or "" */
	int64_t held_noted; /* when a message that was held back was */
	struct tunnel_opening *opening;
	int64_t open_until; /* for TUNNEL_OPENING, monotonic ms */
	const struct tunnel_far_ops *ops;
	void *far; /* NULL: not there yet, or no more */
	struct tunnel_up up;
	struct tunnel_down down;
	struct tunnel_end end;
	bool moved;	/* the upstream did, when this one had a far end */
	unsigned pings; /* without an answer */
	size_t buffered;
	/* It is over, or (far is NULL then) may be freed: not at once, it may
	 * still be at work. */
	void (*changed)(void *arg, struct tunnel *);
	void *changed_arg;
	char id_copy[];
};

/* Never NULL: running out of memory here is fatal. */
struct tunnel *tunnel_new(struct proxyd *, enum tunnel_kind, uint64_t number,
    const char *id, void (*changed)(void *arg, struct tunnel *), void *arg);

/* Free it and its far end, whatever their state; nobody is told. */
void tunnel_free(struct tunnel *);

/* Whether tunnel_free() would interrupt nothing. */
bool tunnel_is_done(const struct tunnel *);

/*
 * For far ends.  All may end in tunnel.changed().
 */

/* The upstream's side is open; the subprotocol, NULL for none. */
void tunnel_opened(struct tunnel *, const char *protocol);

/* The same for a stream: the head, as the members status and headers. */
void tunnel_head(struct tunnel *, struct evbuffer *members);

/*
 * Bytes for the page: at most 64 KiB, not while paused.  Text of WebSockets
 * is valid but may be cut within a character, fin is the end of a message;
 * for streams the type does not count, and fin is their end.
 */
void tunnel_part(
    struct tunnel *, enum ws_type, const void *data, size_t len, bool fin);

/* The output has room again. */
void tunnel_writable(struct tunnel *);

/*
 * The far end is no more: it frees itself.  For streams that failed the
 * reason is what is said, "502 …"; "" for a good end.
 */
void tunnel_far_gone(
    struct tunnel *, uint16_t code, const char *reason, bool clean);

/*
 * For tunnels.c: what pages say, and time.
 */

/*
 * What its person may ask the operator for when it is refused, or broken, in
 * a moment: told along with the reason.
 */
void tunnel_advise(struct tunnel *, const char *advice);

/* It can not be opened, because of reason: "403 …".  Frees the far end. */
void tunnel_refuse(struct tunnel *, const char *reason);

/* A piece, which is the tunnel's from now on; its number gets its reply. */
void tunnel_send(struct tunnel *, struct piece *);

/* All pieces below n are with the page.  -1 if there are not so many. */
int tunnel_ack(struct tunnel *, uint64_t n);

void tunnel_pong(struct tunnel *);

/* Close, after n pieces.  The reason has at most TUNNEL_REASON_MAX bytes. */
void tunnel_close(
    struct tunnel *, uint64_t n, uint16_t code, const char *reason);

/*
 * End it now: the page is told the code, the upstream 1001.  With
 * WS_CLOSE_ABNORMAL the tunnel broke.  Of a stream the page is told the
 * reason, "" for one that broke.
 */
void tunnel_break(struct tunnel *, uint16_t code, const char *reason);

/*
 * The upstream is elsewhere now: end it if it leads to the old one, or as
 * soon as it is open; the page is told 1012, to come back.
 */
void tunnel_move(struct tunnel *);

/* Nobody is there to be told: end it for the upstream, too. */
void tunnel_abandon(struct tunnel *);

/* About once a second, and every TUNNEL_PING_MS. */
void tunnel_tick(struct tunnel *, int64_t now_ms);
void tunnel_ping(struct tunnel *);

/* The outbox has room again. */
void tunnel_continue(struct tunnel *);

#endif
