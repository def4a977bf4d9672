#include <string.h>

#include "common/handle.h"

/* Only what looks like one gets anywhere: it ends up in pages. */
bool
handle_is_valid(const char *handle)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return strlen(handle) == HANDLE_LEN &&
	       strncmp(handle, HANDLE_PREFIX, strlen(HANDLE_PREFIX)) == 0 &&
	       strspn(handle, digits) == HANDLE_LEN;
}

void
handle_add(struct msg_out *m, const char *handle)
{
	msg_add_str(m, handle);
}

int
handle_read(struct msg *m, char handle[HANDLE_SIZE])
{
	msg_get_str(m, handle, HANDLE_SIZE);
	if (msg_end(m) && (handle[0] == '\0' || handle_is_valid(handle)))
		return 0;
	explicit_bzero(handle, HANDLE_SIZE);
	return -1;
}

void
handle_owner_add(struct msg_out *m, uint64_t github_id, const char *login)
{
	session_get_add(m, github_id, login);
}

int
handle_owner_read(
    struct msg *m, uint64_t *github_id, char login[SESSION_LOGIN_MAX])
{
	return session_get_read(m, github_id, login);
}
