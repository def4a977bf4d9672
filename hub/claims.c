#include <string.h>

#include "hub/claims.h"
#include "hub/json.h"
#include "hub/socket.h"

/* The next name of a comma list: its start and length, or NULL. */
static const char *
claims_next(const char **rest, size_t *len)
{
	const char *p = *rest + strspn(*rest, ", \t");

	*len = strcspn(p, ", \t");
	*rest = p + *len;
	return *len > 0 ? p : NULL;
}

bool
claims_read(struct claims *claims, struct evhttp_request *req)
{
	memset(claims, 0, sizeof(*claims));
	if (!socket_query(req, "user", claims->users, sizeof(claims->users)))
		*claims->users = '\0';
	if (!socket_query(req, "org", claims->orgs, sizeof(claims->orgs)))
		*claims->orgs = '\0';
	if (!socket_query(req, "team", claims->teams, sizeof(claims->teams)))
		*claims->teams = '\0';
	return *claims->users != '\0' || *claims->orgs != '\0' ||
	       *claims->teams != '\0';
}

bool
claims_allow(const struct claims *claims, const char *login)
{
	const char *rest = claims->users, *p;
	size_t len;

	if (*claims->orgs != '\0' || *claims->teams != '\0')
		return true;
	while ((p = claims_next(&rest, &len)) != NULL)
		if (len == strlen(login) && strncasecmp(p, login, len) == 0)
			return true;
	return false;
}

static void
claims_add(struct json_object *object, const char *name, const char *rest)
{
	struct json_object *array = json_object_new_array();
	const char *p;
	size_t len;

	while ((p = claims_next(&rest, &len)) != NULL)
		(void)json_object_array_add(
		    array, json_object_new_string_len(p, (int)len));
	json_add(object, name, array);
}

void
claims_json(const struct claims *claims, struct json_object *object)
{
	claims_add(object, "allowed_users", claims->users);
	claims_add(object, "allowed_orgs", claims->orgs);
	claims_add(object, "allowed_teams", claims->teams);
}
