#include <string.h>

#include "proxyd/acting.h"
#include "proxyd/role.h"

/* Where the web app chats. */
#define CHAT_PATH "/ws"

bool
role_may_request(enum session_role role, const char *method, const char *target)
{
	if (role != SESSION_ROLE_READ_ONLY)
		return true;
	return (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
	       !acting_matches(target);
}

enum role_socket
role_socket(enum session_role role, const char *target)
{
	size_t len = strcspn(target, "?");

	if (role != SESSION_ROLE_READ_ONLY)
		return ROLE_SOCKET_OPEN;
	/* No other spelling of it: what it would lead to is not sure. */
	return len == strlen(CHAT_PATH) && strncmp(target, CHAT_PATH, len) == 0
		   ? ROLE_SOCKET_MUTE
		   : ROLE_SOCKET_CLOSED;
}

const char *
role_name(enum session_role role)
{
	return role < SESSION_ROLE_COUNT ? session_role_name(role) : "";
}
