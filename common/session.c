#include "common/session.h"

void
session_get_add(struct msg_out *m, uint64_t github_id, const char *login)
{
	msg_add_u64(m, github_id);
	msg_add_str(m, login);
}

int
session_get_read(
    struct msg *m, uint64_t *github_id, char login[SESSION_LOGIN_MAX])
{
	*github_id = msg_get_u64(m);
	msg_get_str(m, login, SESSION_LOGIN_MAX);
	return msg_end(m) ? 0 : -1;
}

void
session_add(struct msg_out *m, const struct session *session)
{
	msg_add_u8(m, session->status);
	msg_add_u8(m, session->role);
	msg_add_u32(m, session->lifetime_ms);
	msg_add_str(m, session->jwt);
	msg_add_str(m, session->reason);
}

int
session_read(struct msg *m, struct session *session)
{
	uint8_t status = msg_get_u8(m);
	uint8_t role = msg_get_u8(m);

	session->lifetime_ms = msg_get_u32(m);
	msg_get_str(m, session->jwt, sizeof(session->jwt));
	msg_get_str(m, session->reason, sizeof(session->reason));
	if (!msg_end(m) || status >= SESSION_STATUS_COUNT ||
	    role >= SESSION_ROLE_COUNT)
		return -1;
	session->status = status;
	session->role = role;
	return 0;
}
