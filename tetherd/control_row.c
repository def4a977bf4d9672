#include "common/log.h"
#include "tetherd/control_row.h"

void
control_row_start(struct msg_out *m)
{
	msg_start(m, MSG_CTL_ROW, 0);
}

static void
add_name(struct msg_out *m, enum control_kind kind, const char *name)
{
	msg_add_u8(m, (uint8_t)kind);
	msg_add_str(m, name);
}

void
control_row_none(struct msg_out *m, const char *name)
{
	add_name(m, CONTROL_KIND_NONE, name);
}

void
control_row_text(struct msg_out *m, const char *name, const char *text)
{
	char safe[CONTROL_VALUE_SIZE];

	add_name(m, CONTROL_KIND_TEXT, name);
	msg_add_str(m, log_safe(safe, sizeof(safe), text));
}

void
control_row_number(
    struct msg_out *m, const char *name, enum control_kind kind, uint64_t value)
{
	add_name(m, kind, name);
	msg_add_u64(m, value);
}
