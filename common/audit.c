#include <string.h>

#include "common/audit.h"

static const char *const events[AUDIT_EVENT_COUNT] = {
	[AUDIT_SIGN_IN] = "sign-in",
	[AUDIT_REQUEST] = "request",
	[AUDIT_TUNNEL] = "tunnel",
	[AUDIT_MESSAGE] = "message",
	[AUDIT_ACTION] = "action",
	[AUDIT_OPERATOR] = "operator",
	[AUDIT_TOKEN] = "token",
};

static const char *const verdicts[AUDIT_VERDICT_COUNT] = {
	[AUDIT_ALLOWED] = "allowed",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_GIVEN_UP] = "given up",
};

const char *
audit_event_name(enum audit_event event)
{
	return events[event];
}

const char *
audit_verdict_name(enum audit_verdict verdict)
{
	return verdicts[verdict];
}

void
audit_set(char *dst, size_t size, const char *src)
{
	(void)strlcpy(dst, src, size);
}

void
audit_add(struct msg_out *m, const struct audit_record *r)
{
	msg_add_u8(m, r->event);
	msg_add_u8(m, r->verdict);
	msg_add_u64(m, r->github_id);
	msg_add_str(m, r->login);
	msg_add_str(m, r->role);
	msg_add_str(m, r->method);
	msg_add_str(m, r->path);
	msg_add_u32(m, r->status);
	msg_add_str(m, r->why);
}

int
audit_read(struct msg *m, struct audit_record *r)
{
	uint8_t event = msg_get_u8(m), verdict = msg_get_u8(m);

	r->github_id = msg_get_u64(m);
	msg_get_str(m, r->login, sizeof(r->login));
	msg_get_str(m, r->role, sizeof(r->role));
	msg_get_str(m, r->method, sizeof(r->method));
	msg_get_str(m, r->path, sizeof(r->path));
	r->status = msg_get_u32(m);
	msg_get_str(m, r->why, sizeof(r->why));
	if (!msg_end(m) || event >= AUDIT_EVENT_COUNT ||
	    verdict >= AUDIT_VERDICT_COUNT)
		return -1;
	r->event = event;
	r->verdict = verdict;
	return 0;
}
