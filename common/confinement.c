#include "common/confinement.h"

void
confinement_add(struct msg_out *m, const struct confinement *c)
{
	msg_add_u8(m, c->sandbox);
	msg_add_u8(m, c->drop);
	msg_add_u32(m, c->uid);
	msg_add_u32(m, c->gid);
}

void
confinement_get(struct msg *m, struct confinement *c)
{
	c->sandbox = msg_get_u8(m) != 0;
	c->drop = msg_get_u8(m) != 0;
	c->uid = msg_get_u32(m);
	c->gid = msg_get_u32(m);
}

bool
confinement_is_same(const struct confinement *a, const struct confinement *b)
{
	return a->sandbox == b->sandbox && a->drop == b->drop &&
	       a->uid == b->uid && a->gid == b->gid;
}
