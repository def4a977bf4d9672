#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "common/ws.h"
#include "proxyd/close_code.h"

bool
close_code_read(struct json_object *payload, uint16_t *code)
{
	struct json_object *member;
	int64_t n;

	*code = WS_CLOSE_NO_STATUS;
	if (!json_object_object_get_ex(payload, "code", &member) ||
	    member == NULL)
		return true;
	if (!json_object_is_type(member, json_type_int))
		return false;
	n = json_object_get_int64(member);
	if (n < 1000 || n > 4999)
		return false;
	*code = (uint16_t)n;
	return n >= 3000 ||
	       (n <= 1014 && n != 1004 && n != WS_CLOSE_NO_STATUS &&
		   n != WS_CLOSE_ABNORMAL);
}

const char *
close_reason_read(struct json_object *payload)
{
	struct json_object *member;
	const char *reason;

	if (!json_object_object_get_ex(payload, "reason", &member) ||
	    member == NULL)
		return "";
	reason = json_string(payload, "reason", NULL);
	if (reason == NULL || strlen(reason) > CLOSE_REASON_MAX)
		return NULL;
	return reason;
}
