#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "proxyd/acting.h"
#include "proxyd/deny.h"
#include "proxyd/query.h"
#include "proxyd/role.h"

/* GETs that do something: one makes a project of a repository. */
static const char acting_paths[] = "/api/projects/clone-progress\n";

/* GETs that put their query into a command line. */
static const char command_paths[] = "/api/git\n";

/* This member does not get there, and its value may begin with '-'. */
#define PROJECT "project"

/*
 * What is in names of files and revisions, and nothing more to a shell: a
 * parenthesis by itself is an error there, and what brackets stand for begins
 * with what is in front of them.
 */
static bool
is_harmless(char c)
{
	return isalnum((unsigned char)c) || (c & 0x80) != 0 ||
	       (c != '\0' && strchr("-_./~^@:+,%= ()[]", c) != NULL);
}

/* Whether no word of a member, in its form encoding, is more than a name. */
static bool
member_is_harmless(const char *member, size_t len)
{
	const char *end = member + len;
	bool is_project =
	    len > strlen(PROJECT) &&
	    strncmp(member, PROJECT "=", strlen(PROJECT "=")) == 0;
	char c, before = '=';

	while (member < end) {
		c = *member == '+' ? ' ' : *member;
		if (c == ' ')
			member++;
		else
			c = query_next(&member);
		if (!is_harmless(c))
			return false;
		/* An option, or a pattern of one. */
		if (!is_project && strchr(" =", before) != NULL &&
		    strchr("-[", c) != NULL)
			return false;
		before = c;
	}
	return true;
}

static bool
query_is_harmless(const char *target)
{
	const char *member = strchr(target, '?');
	size_t len;

	while (member != NULL && *member != '\0') {
		len = strcspn(++member, "&");
		if (!member_is_harmless(member, len))
			return false;
		member += len;
	}
	return true;
}

bool
acting_matches(const char *target)
{
	static struct deny *acting, *command;

	if (acting == NULL) {
		acting = deny_new_paths(acting_paths);
		command = deny_new_paths(command_paths);
	}
	return deny_matches(acting, ROLE_NOBODY, target) ||
	       (!query_is_harmless(target) &&
		   deny_matches(command, ROLE_NOBODY, target));
}
