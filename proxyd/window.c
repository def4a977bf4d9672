#include "proxyd/window.h"

size_t
window_room(const struct window *w)
{
	return WINDOW_SIZE - (size_t)(w->sent - w->acked);
}

/* The last mark; an acknowledgement of everything is one, too. */
static uint64_t
last_mark(const struct window *w)
{
	if (w->count == 0)
		return w->acked;
	return w->marks[(w->first + w->count - 1) % WINDOW_MARKS].bytes;
}

void
window_sent(struct window *w, size_t len)
{
	struct window_mark *mark;

	w->next++;
	w->sent += len;
	if (w->sent - last_mark(w) < WINDOW_STEP || w->count == WINDOW_MARKS)
		return;
	mark = &w->marks[(w->first + w->count++) % WINDOW_MARKS];
	mark->n = w->next;
	mark->bytes = w->sent;
}

int
window_ack(struct window *w, uint64_t n)
{
	if (n > w->next)
		return -1;
	while (w->count > 0 && w->marks[w->first].n <= n) {
		w->acked = w->marks[w->first].bytes;
		w->first = (w->first + 1) % WINDOW_MARKS;
		w->count--;
	}
	if (n == w->next)
		w->acked = w->sent;
	return 0;
}
