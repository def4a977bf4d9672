#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "proxyd/run_list.h"

static void
add(struct run_list *list, const char *session)
{
	list->total++;
	if (session == NULL || session[0] == '\0' || list->count == RUNS_MAX)
		return;
	if (strlcpy(list->sessions[list->count], session, RUN_SESSION_SIZE) <
	    RUN_SESSION_SIZE)
		list->count++;
}

static struct json_object *
find(struct json_object *parent, const char *name, enum json_type type)
{
	struct json_object *member;

	if (!json_object_object_get_ex(parent, name, &member) ||
	    !json_object_is_type(member, type))
		return NULL;
	return member;
}

static void
read_objects(struct run_list *list, struct json_object *sessions)
{
	size_t i, n = json_object_array_length(sessions);
	struct json_object *item;

	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(sessions, i);
		add(list, json_object_is_type(item, json_type_object)
			      ? json_string(item, "sessionId", NULL)
			      : NULL);
	}
}

/* Names; or objects with an id, as some versions have for some providers. */
static void
read_names(struct run_list *list, struct json_object *names)
{
	size_t i, n = json_object_array_length(names);
	struct json_object *item;

	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(names, i);
		if (json_object_is_type(item, json_type_object))
			add(list, json_string(item, "id", NULL));
		else if (json_object_is_type(item, json_type_string))
			add(list, json_object_get_string(item));
		else
			add(list, NULL);
	}
}

int
run_list_read_new(struct run_list *list, struct evbuffer *text)
{
	struct json_object *json = json_parse(text, JSON_DEPTH_MAX), *data,
			   *sessions = NULL;
	int rc = -1;

	list->total = list->count = 0;
	if (json == NULL)
		return -1;
	if ((data = find(json, "data", json_type_object)) != NULL)
		sessions = find(data, "sessions", json_type_array);
	if (sessions != NULL) {
		read_objects(list, sessions);
		rc = 0;
	}
	json_object_put(json);
	return rc;
}

int
run_list_read_old(struct run_list *list, struct evbuffer *text)
{
	struct json_object *json = json_parse(text, JSON_DEPTH_MAX), *sessions;
	const char *type;
	int rc = -1;

	list->total = list->count = 0;
	if (json == NULL)
		return -1;
	type = json_string(json, "type", NULL);
	sessions = find(json, "sessions", json_type_object);
	if (type != NULL && strcmp(type, "active-sessions") == 0 &&
	    sessions != NULL) {
		json_object_object_foreach(sessions, provider, names)
		{
			(void)provider;
			if (json_object_is_type(names, json_type_array))
				read_names(list, names);
		}
		rc = 0;
	}
	json_object_put(json);
	return rc;
}
