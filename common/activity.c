#include "common/activity.h"

const char *
activity_name(enum activity_status status)
{
	static const char *const names[ACTIVITY_COUNT] = {
		[ACTIVITY_IDLE] = "idle",
		[ACTIVITY_ACTIVE] = "active",
		[ACTIVITY_BUSY] = "busy",
	};

	return names[status];
}

void
activity_add(struct msg_out *m, enum activity_status status)
{
	msg_add_u32(m, status);
}

int
activity_read(struct msg *m, enum activity_status *status)
{
	uint32_t n = msg_get_u32(m);

	if (!msg_end(m) || n >= ACTIVITY_COUNT)
		return -1;
	*status = (enum activity_status)n;
	return 0;
}
