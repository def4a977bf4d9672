#ifndef COMMON_MSG_H
#define COMMON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/program.h"

/*
 * Messages between our own processes: one datagram each, a fixed header in
 * host byte order and a payload that is written and read field by field.
 * Nothing of a payload is ever cast to a struct.
 */

/* Both ends must agree on this; raised with every change of the messages. */
#define MSG_PROTOCOL_VERSION 6

#define MSG_HEADER_SIZE 16
#define MSG_SIZE_MAX	65536
#define MSG_PAYLOAD_MAX (MSG_SIZE_MAX - MSG_HEADER_SIZE)

enum msg_type {
	MSG_NONE,
#define MESSAGE(name, from, to, min, max, fd, state) MSG_##name,
#include "common/messages.def"
#undef MESSAGE
	MSG_TYPE_COUNT
};

/* When a message is legal on its channel. */
enum msg_state {
	MSG_START,
	MSG_SETUP,
	MSG_RUN,
	/* In the table only: the last two, and all of them. */
	MSG_CONF,
	MSG_ANY
};

/* Flags of the header. */
#define MSG_FLAG_MORE	0x0001 /* further chunks of the same id follow */
#define MSG_FLAGS_KNOWN (MSG_FLAG_MORE)

/* A message that was received, and how far it has been read. */
struct msg {
	enum msg_type type;
	uint16_t flags;
	uint64_t id;
	int fd;		     /* -1, or owned by the message until taken */
	const uint8_t *data; /* the payload; valid inside the handler only */
	size_t len;
	size_t pos;
	bool bad; /* a field was asked for that is not there */
};

/* "MSG_HELLO" for a known type, else "?". */
const char *msg_name(unsigned type);

/*
 * Check a datagram of n bytes that from sent to to while their channel was
 * in the given state, fd being the descriptor that came along or -1.
 * Returns NULL and fills *m, or says what is wrong with it (then the caller
 * still owns fd).
 */
const char *msg_parse(struct msg *m, const uint8_t *datagram, size_t n, int fd,
    enum program from, enum program to, enum msg_state state);

/*
 * The cursor.  What is missing reads as zero or "" and makes msg_end()
 * fail, so a handler reads all its fields first and asks once.
 */
uint8_t msg_get_u8(struct msg *);
uint32_t msg_get_u32(struct msg *);
uint64_t msg_get_u64(struct msg *);

/*
 * Read a string of at most size - 1 bytes into dst, NUL-terminated.
 * One that is longer or contains a NUL is an error like a missing one.
 */
void msg_get_str(struct msg *, char *dst, size_t size);

/* A string without a bound but the message's; malloc'd, NULL on error. */
char *msg_get_strdup(struct msg *);

/* Take the descriptor over from the message; -1 if there is none. */
int msg_take_fd(struct msg *);

/* True when every field was there and nothing is left. */
bool msg_end(const struct msg *);

/* A message that is being written; starts with msg_start(). */
struct msg_out {
	enum msg_type type;
	uint16_t flags;
	uint64_t id;
	uint8_t *data;
	size_t len;
	size_t size;
	bool failed; /* out of memory or over MSG_PAYLOAD_MAX */
};

/* Begin a message.  Allocates nothing. */
void msg_start(struct msg_out *, enum msg_type, uint64_t id);

void msg_add_u8(struct msg_out *, uint8_t);
void msg_add_u32(struct msg_out *, uint32_t);
void msg_add_u64(struct msg_out *, uint64_t);
void msg_add_str(struct msg_out *, const char *); /* NULL counts as "" */

/* Wipe and free the payload; the struct can be started again. */
void msg_discard(struct msg_out *);

/* Write the 16 bytes of a header. */
void msg_put_header(
    uint8_t *dst, enum msg_type, uint16_t flags, uint64_t id, size_t payload);

/*
 * Blocking transfer for the set-up phase, before there is an event loop.
 * msg_send_now() sends *m with the descriptor fd (or -1), discards m and
 * closes fd; returns -1 with errno set on failure.
 * msg_recv_now() waits up to timeout milliseconds for one datagram, into a
 * buffer of MSG_SIZE_MAX bytes; returns NULL or what went wrong.
 */
int msg_send_now(int socket, struct msg_out *m, int fd);
const char *msg_recv_now(int socket, struct msg *m, uint8_t *buffer,
    int timeout, enum program from, enum program to, enum msg_state state);

/*
 * The two system calls under all of the above.  msg_send_iov() sends one
 * datagram without blocking; msg_recv_datagram() receives one, *fd being -1
 * or the one descriptor that came (more than one, or a cut datagram, are
 * EBADMSG).  Both return -1 with errno set, or the size; 0 is end of file.
 */
struct iovec;
int msg_send_iov(int socket, struct iovec *iov, int niov, int fd);
int msg_recv_datagram(int socket, uint8_t *buffer, int *fd);

#endif
