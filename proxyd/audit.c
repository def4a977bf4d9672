#include <stdlib.h>
#include <string.h>

#include "common/child.h"
#include "common/log.h"
#include "proxyd/audit.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/request.h"
#include "proxyd/role.h"
#include "proxyd/tunnel.h"

/* Printable and without blanks, so that it cannot pass for other words. */
static void
set_word(char *dst, size_t size, const char *src)
{
	char *p;

	if (src == NULL)
		return;
	for (p = log_safe(dst, size, src); *p != '\0'; p++)
		if (*p == ' ')
			*p = '?';
}

static void
set_path(char dst[AUDIT_PATH_SIZE], const char *target)
{
	char path[AUDIT_PATH_SIZE];

	if (target == NULL)
		return;
	(void)strlcpy(path, target, sizeof(path));
	path[strcspn(path, "?")] = '\0';
	set_word(dst, AUDIT_PATH_SIZE, path);
}

void
audit_send(struct proxyd *p, const struct audit_case *c)
{
	struct audit_record r = { .event = c->event,
		.verdict = c->verdict,
		.github_id = c->github_id,
		.status = (uint32_t)c->status };

	if (c->github_id != 0)
		set_word(r.login, sizeof(r.login), c->login);
	set_word(r.role, sizeof(r.role), role_name(c->role));
	set_word(r.method, sizeof(r.method), c->method);
	set_path(r.path, c->target);
	if (c->why != NULL)
		(void)log_safe(r.why, sizeof(r.why), c->why);
	child_audit(&p->child, &r);
}

bool
audit_is_due(struct proxyd *p, uint64_t github_id)
{
	return p->conf.audit || rates_tells(p->rates, github_id);
}

void
audit_request(
    struct proxyd *p, const struct request *r, const struct audit_end *end)
{
	struct audit_case c = { .event = AUDIT_REQUEST,
		.verdict = end->refused ? AUDIT_REFUSED : AUDIT_ALLOWED,
		.role = end->role,
		.status = end->status,
		.why = end->why };

	if (!p->conf.audit && (!end->refused || end->untold))
		return;
	if (end->status == 0)
		c.verdict = AUDIT_GIVEN_UP;
	if (r->error != NULL) {
		c.verdict = AUDIT_REFUSED;
		c.why = r->error;
	} else {
		c.method = r->method;
		c.target = r->target;
		c.github_id = r->identified ? r->github_id : 0;
		c.login = r->login;
	}
	audit_send(p, &c);
}

void
audit_tunnel(const struct tunnel *t, const char *reason)
{
	struct audit_case c = { .event = AUDIT_TUNNEL,
		.verdict = AUDIT_REFUSED,
		.github_id = t->github_id,
		.login = t->login,
		.role = t->role,
		.target = t->path };
	char *why;

	if (reason == NULL)
		c.verdict = AUDIT_ALLOWED;
	else if (reason[0] == '\0')
		c.verdict = AUDIT_GIVEN_UP;
	else {
		c.status = (int)strtol(reason, &why, 10);
		c.why = why + strspn(why, " ");
	}
	if (c.verdict == AUDIT_ALLOWED ||
	    (c.status == 403 && c.github_id != RATES_NOBODY) ||
	    audit_is_due(t->proxyd, c.github_id))
		audit_send(t->proxyd, &c);
}
