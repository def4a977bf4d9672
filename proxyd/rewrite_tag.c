#include <string.h>

#include "proxyd/rewrite_fields.h"
#include "proxyd/rewrite_tag.h"

static const char mark[] = "tether:";

/*
 * What is between the quotes, or NULL if it is no entity tag.  Bytes over
 * ASCII are allowed there, but do not survive the way as JSON.
 */
static const char *
parse_tag(const char *tag, size_t len, bool *weak, size_t *opaque_len)
{
	size_t i;

	*weak = len >= 2 && memcmp(tag, "W/", 2) == 0;
	if (*weak) {
		tag += 2;
		len -= 2;
	}
	if (len < 2 || tag[0] != '"' || tag[len - 1] != '"')
		return NULL;
	for (i = 1; i < len - 1; i++)
		if (tag[i] < 0x21 || tag[i] > 0x7e || tag[i] == '"')
			return NULL;
	*opaque_len = len - 2;
	return tag + 1;
}

bool
rewrite_tag_make(const struct rewrite_fields *how, const char *value, FILE *out)
{
	const char *opaque;
	size_t len;
	bool weak;

	opaque = parse_tag(value, strlen(value), &weak, &len);
	if (opaque == NULL)
		return false;
	(void)fprintf(out, "W/\"%s%s:%c:%.*s\"", mark, how->version,
	    weak ? 'w' : 's', (int)len, opaque);
	return true;
}

static bool
is_ours(const char *opaque, size_t len)
{
	return len >= strlen(mark) && memcmp(opaque, mark, strlen(mark)) == 0;
}

bool
rewrite_tag_keep(const struct rewrite_fields *how, const char *value, FILE *out)
{
	const char *opaque;
	size_t len;
	bool weak;

	(void)how;
	opaque = parse_tag(value, strlen(value), &weak, &len);
	if (opaque != NULL && is_ours(opaque, len))
		return false;
	(void)fputs(value, out);
	return true;
}

enum rewrite_tag
rewrite_tag_judge(const char *tag, size_t len, const char *version)
{
	size_t version_len = strlen(version);
	const char *opaque;
	bool weak;

	opaque = parse_tag(tag, len, &weak, &len);
	if (opaque == NULL || !is_ours(opaque, len))
		return REWRITE_TAG_UPSTREAM;
	opaque += strlen(mark);
	len -= strlen(mark);
	if (len < version_len + strlen(":s:") ||
	    memcmp(opaque, version, version_len) != 0)
		return REWRITE_TAG_STALE;
	opaque += version_len;
	if (memcmp(opaque, ":w:", 3) != 0 && memcmp(opaque, ":s:", 3) != 0)
		return REWRITE_TAG_STALE;
	return REWRITE_TAG_OURS;
}

void
rewrite_tag_undo(const char *tag, size_t len, const char *version, FILE *out)
{
	size_t head = strlen(mark) + strlen(version) + strlen(":");
	const char *opaque;
	bool weak;

	opaque = parse_tag(tag, len, &weak, &len);
	if (opaque == NULL)
		return;
	(void)fprintf(out, "%s\"%.*s\"", opaque[head] == 'w' ? "W/" : "",
	    (int)(len - head - 2), opaque + head + 2);
}
