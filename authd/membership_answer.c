#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "authd/github.h"
#include "authd/membership_answer.h"
#include "common/json.h"

/* An answer by its status alone; ANSWER_YES if its body is to be read. */
static enum answer_word
answer_read_status(const struct github_answer *answer)
{
	switch (answer->status) {
	case 200:
		return answer->json != NULL ? ANSWER_YES : ANSWER_WRONG;
	case 403:
		return ANSWER_FORBIDDEN;
	case 404:
		return ANSWER_NO;
	default:
		return ANSWER_STATUS;
	}
}

/* A member, NULL for null or none; what is no object has no members. */
static struct json_object *
answer_get(const struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) ? member : NULL;
}

static bool
answer_get_person(
    const struct json_object *object, struct answer_person *person)
{
	const char *login = json_string(object, "login", NULL);
	struct json_object *id;

	if (login == NULL || !policy_login_is_valid(login) ||
	    !json_object_object_get_ex(object, "id", &id) ||
	    !json_object_is_type(id, json_type_int) ||
	    !policy_id_is_valid(json_object_get_uint64(id)))
		return false;
	person->github_id = json_object_get_uint64(id);
	(void)strlcpy(person->login, login, sizeof(person->login));
	return true;
}

enum answer_word
answer_read_person(
    const struct github_answer *answer, struct answer_person *person)
{
	enum answer_word word = answer_read_status(answer);

	memset(person, 0, sizeof(*person));
	if (word == ANSWER_YES && !answer_get_person(answer->json, person))
		return ANSWER_WRONG;
	return word;
}

/* Whether an org, where the answer names one, is the one that was meant. */
static bool
answer_is_about(const struct json_object *json, const char *org)
{
	struct json_object *organization = answer_get(json, "organization");
	const char *login;

	if (organization == NULL)
		return true;
	login = json_string(organization, "login", NULL);
	return login != NULL && strcasecmp(login, org) == 0;
}

enum answer_word
answer_read_membership(const struct github_answer *answer, const char *org,
    const char *login, struct answer_person *person)
{
	enum answer_word word = answer_read_status(answer);
	struct json_object *user;
	const char *state;

	memset(person, 0, sizeof(*person));
	if (word != ANSWER_YES)
		return word;
	state = json_string(answer->json, "state", NULL);
	if (state == NULL || !answer_is_about(answer->json, org))
		return ANSWER_WRONG;
	user = answer_get(answer->json, "user");
	if (user != NULL && (!answer_get_person(user, person) ||
				strcasecmp(person->login, login) != 0))
		return ANSWER_WRONG;
	if (strcmp(state, "active") == 0)
		return ANSWER_YES;
	return strcmp(state, "pending") == 0 ? ANSWER_NO : ANSWER_WRONG;
}

enum answer_word
answer_read_orgs(const struct github_answer *answer, const char *org)
{
	enum answer_word word = answer_read_status(answer);
	bool found = false;
	const char *login;
	size_t i, count;

	if (word != ANSWER_YES)
		return word == ANSWER_NO ? ANSWER_STATUS : word;
	if (!json_object_is_type(answer->json, json_type_array))
		return ANSWER_WRONG;
	count = json_object_array_length(answer->json);
	if (count > ANSWER_PAGE_MAX)
		return ANSWER_WRONG;
	for (i = 0; i < count; i++) {
		login = json_string(
		    json_object_array_get_idx(answer->json, i), "login", NULL);
		if (login == NULL || !policy_login_is_valid(login))
			return ANSWER_WRONG;
		found = found || strcasecmp(login, org) == 0;
	}
	return found ? ANSWER_YES : ANSWER_NO;
}
