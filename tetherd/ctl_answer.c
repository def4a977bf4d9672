#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/ctl_answer.h"

static char *
get_string(struct msg *m, size_t size)
{
	char *s = msg_get_strdup(m);

	if (s != NULL && strlen(s) >= size) {
		m->bad = true;
		free(s);
		s = NULL;
	}
	return s;
}

/* One field; what it holds is freed with the row, malformed or not. */
static void
get_field(struct msg *m, struct ctl_field *f)
{
	uint8_t kind = msg_get_u8(m);

	f->name = get_string(m, CONTROL_NAME_SIZE);
	if (f->name == NULL || kind >= CONTROL_KIND_COUNT) {
		m->bad = true;
		return;
	}
	f->kind = (enum control_kind)kind;
	if (f->kind == CONTROL_KIND_TEXT)
		f->text = get_string(m, CONTROL_VALUE_SIZE);
	else if (f->kind != CONTROL_KIND_NONE)
		f->number = msg_get_u64(m);
}

static int
add_row(struct ctl_answer *a, struct msg *m)
{
	struct ctl_row *row;

	if (a->nrows == CONTROL_ROWS_MAX)
		return -1;
	if (a->rows == NULL) {
		a->rows = calloc(CONTROL_ROWS_MAX, sizeof(*a->rows));
		if (a->rows == NULL)
			err(1, NULL);
	}
	row = &a->rows[a->nrows++];
	while (!m->bad && m->pos < m->len && row->nfields < CTL_FIELDS_MAX)
		get_field(m, &row->fields[row->nfields++]);
	return msg_end(m) ? 0 : -1;
}

static int
add_text(struct ctl_answer *a, struct msg *m)
{
	char *piece = get_string(m, CONTROL_TEXT_SIZE), *grown;
	size_t len = piece == NULL ? 0 : strlen(piece);

	if (!msg_end(m) || len > CONTROL_ANSWER_MAX - a->text_len) {
		free(piece);
		return -1;
	}
	grown = realloc(a->text, a->text_len + len + 1);
	if (grown == NULL)
		err(1, NULL);
	memcpy(grown + a->text_len, piece, len + 1);
	a->text = grown;
	a->text_len += len;
	free(piece);
	return 0;
}

static int
add_done(struct ctl_answer *a, struct msg *m)
{
	uint32_t code = msg_get_u32(m);

	msg_get_str(m, a->reason, sizeof(a->reason));
	if (!msg_end(m) || code > CONTROL_REFUSED)
		return -1;
	a->code = (enum control_code)code;
	return 1;
}

int
ctl_answer_add(struct ctl_answer *a, struct msg *m)
{
	if (m->type == MSG_CTL_ROW)
		return add_row(a, m);
	if (m->type == MSG_CTL_TEXT)
		return add_text(a, m);
	if (m->type == MSG_CTL_DONE)
		return add_done(a, m);
	return -1;
}

void
ctl_answer_clear(struct ctl_answer *a)
{
	size_t i, k;

	for (i = 0; i < a->nrows; i++)
		for (k = 0; k < a->rows[i].nfields; k++) {
			free(a->rows[i].fields[k].name);
			free(a->rows[i].fields[k].text);
		}
	free(a->rows);
	free(a->text);
	*a = (struct ctl_answer){ .nrows = 0 };
}
