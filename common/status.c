#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/status.h"

const struct status_row status_rows[STATUS_ID_COUNT] = {
#define STATUS(program, name, kind, where, label)                         \
	[STATUS_##program##_##name] = { PROGRAM_##program, STATUS_##kind, \
		STATUS_IN_##where, label },
#include "common/status.def"
#undef STATUS
};

struct status {
	enum program program;
	struct {
		uint64_t number;
		char *text;
	} values[STATUS_ID_COUNT];
};

struct status *
status_new(enum program program)
{
	struct status *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("status");
	s->program = program;
	return s;
}

void
status_free(struct status *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < STATUS_ID_COUNT; i++)
		free(s->values[i].text);
	free(s);
}

void
status_set_number(struct status *s, enum status_id id, uint64_t number)
{
	assert(status_rows[id].program == s->program);
	assert(status_rows[id].kind != STATUS_TEXT);
	s->values[id].number = number;
}

void
status_set_text(struct status *s, enum status_id id, const char *text)
{
	char safe[STATUS_TEXT_SIZE];

	assert(status_rows[id].program == s->program);
	assert(status_rows[id].kind == STATUS_TEXT);
	free(s->values[id].text);
	s->values[id].text = strdup(log_safe(safe, sizeof(safe), text));
	if (s->values[id].text == NULL)
		fatal("status");
}

uint64_t
status_number(const struct status *s, enum status_id id)
{
	return s->values[id].number;
}

const char *
status_text(const struct status *s, enum status_id id)
{
	return s->values[id].text == NULL ? "" : s->values[id].text;
}

void
status_add(struct msg_out *m, const struct status *s)
{
	int id;

	for (id = 0; id < STATUS_ID_COUNT; id++) {
		if (status_rows[id].program != s->program)
			continue;
		if (status_rows[id].kind == STATUS_TEXT)
			msg_add_str(m, s->values[id].text);
		else
			msg_add_u64(m, s->values[id].number);
	}
}

int
status_read(struct msg *m, struct status *s)
{
	char text[STATUS_TEXT_SIZE];
	int id;

	for (id = 0; id < STATUS_ID_COUNT; id++) {
		if (status_rows[id].program != s->program)
			continue;
		if (status_rows[id].kind == STATUS_TEXT) {
			msg_get_str(m, text, sizeof(text));
			status_set_text(s, (enum status_id)id, text);
		} else
			s->values[id].number = msg_get_u64(m);
	}
	return msg_end(m) ? 0 : -1;
}
