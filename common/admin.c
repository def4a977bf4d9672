#include "common/admin.h"

bool
admin_op_changes(enum admin_op op)
{
	return op != ADMIN_USERS && op != ADMIN_TOKENS;
}

void
admin_request_add(struct msg_out *m, const struct admin_request *r)
{
	msg_add_u32(m, r->op);
	msg_add_str(m, r->whom);
	msg_add_str(m, r->value);
}

int
admin_request_read(struct msg *m, struct admin_request *r)
{
	uint32_t op = msg_get_u32(m);

	msg_get_str(m, r->whom, sizeof(r->whom));
	msg_get_str(m, r->value, sizeof(r->value));
	if (!msg_end(m) || op >= ADMIN_OP_COUNT)
		return -1;
	r->op = op;
	return 0;
}

void
admin_user_add(struct msg_out *m, const struct admin_user *u)
{
	msg_add_u64(m, u->github_id);
	msg_add_str(m, u->login);
	msg_add_str(m, u->user_name);
	msg_add_u8(m, u->has_role);
	msg_add_u8(m, u->role);
	msg_add_u8(m, u->disabled);
	msg_add_u64(m, u->created_at);
	msg_add_u64(m, u->last_seen);
	msg_add_u32(m, u->handles);
}

int
admin_user_read(struct msg *m, struct admin_user *u)
{
	uint8_t role;

	u->github_id = msg_get_u64(m);
	msg_get_str(m, u->login, sizeof(u->login));
	msg_get_str(m, u->user_name, sizeof(u->user_name));
	u->has_role = msg_get_u8(m) != 0;
	role = msg_get_u8(m);
	u->disabled = msg_get_u8(m) != 0;
	u->created_at = msg_get_u64(m);
	u->last_seen = msg_get_u64(m);
	u->handles = msg_get_u32(m);
	if (!msg_end(m) || role >= SESSION_ROLE_COUNT)
		return -1;
	u->role = role;
	return 0;
}

void
admin_token_add(struct msg_out *m, const struct admin_token *t)
{
	msg_add_str(m, t->host);
	msg_add_str(m, t->client_id);
	msg_add_u64(m, t->granted_at);
	msg_add_u8(m, t->used);
}

int
admin_token_read(struct msg *m, struct admin_token *t)
{
	msg_get_str(m, t->host, sizeof(t->host));
	msg_get_str(m, t->client_id, sizeof(t->client_id));
	t->granted_at = msg_get_u64(m);
	t->used = msg_get_u8(m) != 0;
	return msg_end(m) ? 0 : -1;
}

void
admin_done_add(struct msg_out *m, const struct admin_done *d)
{
	msg_add_u32(m, d->good);
	msg_add_str(m, d->text);
}

int
admin_done_read(struct msg *m, struct admin_done *d)
{
	uint32_t good = msg_get_u32(m);

	msg_get_str(m, d->text, sizeof(d->text));
	if (!msg_end(m) || good > 1)
		return -1;
	d->good = good;
	return 0;
}
