#include <string.h>

#include "common/session.h"

static const char *const role_names[SESSION_ROLE_COUNT] = {
	[SESSION_ROLE_FULL] = "full",
	[SESSION_ROLE_READ_ONLY] = "read-only",
};

const char *
session_role_name(enum session_role role)
{
	return role_names[role];
}

enum session_role
session_role_find(const char *name)
{
	enum session_role role = SESSION_ROLE_FULL;

	while (role < SESSION_ROLE_COUNT && strcmp(name, role_names[role]) != 0)
		role++;
	return role;
}

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
session_token_add(struct msg_out *m, const char *token)
{
	msg_add_str(m, token);
}

int
session_token_read(struct msg *m, char token[SESSION_TOKEN_MAX + 1])
{
	const char *p;

	msg_get_str(m, token, SESSION_TOKEN_MAX + 1);
	for (p = token; *p > ' ' && *p < 0x7f; p++)
		continue;
	if (msg_end(m) && *p == '\0' && p > token)
		return 0;
	explicit_bzero(token, SESSION_TOKEN_MAX + 1);
	return -1;
}

void
session_service_add(struct msg_out *m, enum session_service service)
{
	msg_add_u32(m, service);
}

int
session_service_read(struct msg *m, enum session_service *service)
{
	uint32_t n = msg_get_u32(m);

	if (!msg_end(m) || n >= SESSION_SERVICE_COUNT)
		return -1;
	*service = (enum session_service)n;
	return 0;
}

void
session_add(struct msg_out *m, const struct session *session)
{
	msg_add_u8(m, session->status);
	msg_add_u8(m, session->role);
	msg_add_u32(m, session->lifetime_ms);
	msg_add_u64(m, session->github_id);
	msg_add_str(m, session->login);
	msg_add_str(m, session->jwt);
	msg_add_str(m, session->reason);
	msg_add_str(m, session->advice);
}

/* What a JWT consists of (RFC 7515 section 7.1): it goes into headers. */
static bool
is_jwt(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return s[strspn(s, allowed)] == '\0';
}

int
session_read(struct msg *m, struct session *session)
{
	uint8_t status = msg_get_u8(m);
	uint8_t role = msg_get_u8(m);

	session->lifetime_ms = msg_get_u32(m);
	session->github_id = msg_get_u64(m);
	msg_get_str(m, session->login, sizeof(session->login));
	msg_get_str(m, session->jwt, sizeof(session->jwt));
	msg_get_str(m, session->reason, sizeof(session->reason));
	msg_get_str(m, session->advice, sizeof(session->advice));
	if (!msg_end(m) || status >= SESSION_STATUS_COUNT ||
	    role >= SESSION_ROLE_COUNT || !is_jwt(session->jwt))
		return -1;
	session->status = status;
	session->role = role;
	return 0;
}
