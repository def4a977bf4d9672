#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "proxyd/rewrite_manifest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A member that is a URL: of the object, or of those in its list. */
struct place {
	const char *list;
	const char *name;
};

static const struct place images[] = { { "icons", "src" } };
static const struct place places[] = { { NULL, "start_url" }, { NULL, "scope" },
	{ NULL, "id" }, { "icons", "src" }, { "screenshots", "src" },
	{ "shortcuts", "url" }, { "share_target", "action" },
	{ "protocol_handlers", "url" }, { "file_handlers", "action" } };
/* Lists whose entries have icons of their own. */
static const char *const with_icons[] = { "shortcuts", "file_handlers" };

/* What came of it. */
struct changes {
	const struct prefix *prefix;
	bool any;
	bool failed; /* out of memory */
};

int
rewrite_manifest_init(struct rewrite_manifest *manifest,
    const struct prefix *prefix, const struct sink *sink)
{
	manifest->prefix = prefix;
	manifest->sink = sink;
	manifest->text = evbuffer_new();
	return manifest->text != NULL ? 0 : -1;
}

void
rewrite_manifest_clear(struct rewrite_manifest *manifest)
{
	if (manifest->text != NULL)
		evbuffer_free(manifest->text);
	manifest->text = NULL;
}

/* Write the text as it came, and forget it. */
static int
write_same(struct rewrite_manifest *manifest)
{
	size_t len = evbuffer_get_length(manifest->text);
	const unsigned char *text = evbuffer_pullup(manifest->text, -1);
	int rc = -1;

	if (text != NULL || len == 0)
		rc = sink_write(manifest->sink, text, len);
	rewrite_manifest_clear(manifest);
	return rc;
}

int
rewrite_manifest_feed(
    struct rewrite_manifest *manifest, const char *in, size_t len)
{
	if (manifest->text != NULL &&
	    len <= REWRITE_MANIFEST_MAX - evbuffer_get_length(manifest->text))
		return evbuffer_add(manifest->text, in, len);
	if (manifest->text != NULL && write_same(manifest) == -1)
		return -1;
	return sink_write(manifest->sink, in, len);
}

/* A string with the prefix in front if it is a rooted URL. */
static void
change_string(struct changes *changes, struct json_object *value)
{
	const char *url = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	size_t size = changes->prefix->len + len + 1;
	char *changed;

	/* A NUL is part of no URL, and would hide what follows it. */
	if (strlen(url) != len)
		return;
	if ((changed = malloc(size)) == NULL) {
		changes->failed = true;
		return;
	}
	if (prefix_apply(changes->prefix, url, len, changed, size) &&
	    strcmp(changed, url) != 0) {
		if (json_object_set_string(value, changed) == 1)
			changes->any = true;
		else
			changes->failed = true;
	}
	free(changed);
}

/* How many there are in a list; what is none counts as its only entry. */
static size_t
list_length(struct json_object *list)
{
	if (!json_object_is_type(list, json_type_array))
		return 1;
	return json_object_array_length(list);
}

static struct json_object *
list_entry(struct json_object *list, size_t i)
{
	if (!json_object_is_type(list, json_type_array))
		return list;
	return json_object_array_get_idx(list, i);
}

static void
change_places(struct changes *changes, struct json_object *object,
    const struct place *place, size_t n)
{
	struct json_object *list, *value;
	size_t i;

	for (; n > 0; n--, place++) {
		list = object;
		if (place->list != NULL &&
		    !json_object_object_get_ex(object, place->list, &list))
			continue;
		for (i = 0; i < list_length(list); i++)
			if (json_object_object_get_ex(
				list_entry(list, i), place->name, &value) &&
			    json_object_is_type(value, json_type_string))
				change_string(changes, value);
	}
}

static void
change_manifest(struct changes *changes, struct json_object *object)
{
	struct json_object *list;
	size_t i, k;

	change_places(changes, object, places, COUNT(places));
	for (i = 0; i < COUNT(with_icons); i++) {
		if (!json_object_object_get_ex(object, with_icons[i], &list))
			continue;
		for (k = 0; k < list_length(list); k++)
			change_places(changes, list_entry(list, k), images,
			    COUNT(images));
	}
}

int
rewrite_manifest_finish(struct rewrite_manifest *manifest)
{
	struct changes changes = { .prefix = manifest->prefix };
	struct json_object *object = NULL;
	const char *text;
	size_t len;
	int rc = -1;

	if (manifest->text == NULL)
		return 0;
	object = json_parse(manifest->text, JSON_DEPTH_MAX);
	if (object != NULL)
		change_manifest(&changes, object);
	if (changes.failed) {
		rewrite_manifest_clear(manifest);
	} else if (changes.any) {
		text = json_text(object, &len);
		rc = sink_write(manifest->sink, text, len);
		rewrite_manifest_clear(manifest);
	} else {
		rc = write_same(manifest);
	}
	json_object_put(object);
	return rc;
}
