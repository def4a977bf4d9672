#include "common/link.h"

void
link_up_add(struct msg_out *m, const struct link_up *up)
{
	msg_add_u32(m, up->capabilities);
	msg_add_u64(m, up->message_max);
	msg_add_str(m, up->client_id);
}

int
link_up_read(struct msg *m, struct link_up *up)
{
	up->capabilities = msg_get_u32(m);
	up->message_max = msg_get_u64(m);
	msg_get_str(m, up->client_id, sizeof(up->client_id));
	/* It goes into all URLs of a page. */
	if (!msg_end(m) || (up->capabilities & ~LINK_CAPABILITIES_KNOWN) != 0 ||
	    client_id_check(up->client_id) != NULL)
		return -1;
	return 0;
}
