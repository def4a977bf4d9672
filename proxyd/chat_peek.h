#ifndef PROXYD_CHAT_PEEK_H
#define PROXYD_CHAT_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a message of a chat says of itself: a few members of its outermost
 * object, read as it comes in pieces, however long it is, without keeping it.
 * It is not checked: what is no JSON may look as if it were.
 */

/* Holds a name that messages or sessions go by, with its NUL. */
#define CHAT_PEEK_SIZE 132

/*
 * A string that is longer, or has an escape in it, is "", as one that is not
 * there: none of those that matter is.
 */
struct chat_peek {
	char type[CHAT_PEEK_SIZE];
	char kind[CHAT_PEEK_SIZE];
	char session[CHAT_PEEK_SIZE]; /* "sessionId" */
	char code[CHAT_PEEK_SIZE];
	bool is_processing; /* "isProcessing", if it is true */

	/* For chat_peek.c. */
	unsigned char state;
	bool escaped;
	char string[CHAT_PEEK_SIZE]; /* that is being read */
	size_t len;
	int member;
	unsigned long depth; /* inside of a value that does not matter */
};

/* Before the first piece of each message. */
void chat_peek_start(struct chat_peek *);

void chat_peek_feed(struct chat_peek *, const void *, size_t len);

#endif
