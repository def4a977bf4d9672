#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/admin.h"
#include "common/audit.h"
#include "common/handle.h"
#include "common/link.h"
#include "common/msg.h"
#include "common/session.h"
#include "common/slice.h"

/*
 * Any bytes as a datagram between any two programs, and as any sequence of
 * fields: whatever is read must come from inside of it.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
read_str(struct msg *m, size_t size)
{
	char *text = malloc(size); /* of that size, for the sanitizer */

	if (text == NULL)
		abort();
	msg_get_str(m, text, size);
	if (strlen(text) >= size)
		abort();
	free(text);
}

/* Fields as the bytes of the script say. */
static void
read_fields(struct msg m, const uint8_t *script, size_t n)
{
	size_t i, before;

	for (i = 0; i < n; i++) {
		before = m.pos;
		switch (script[i] % 5) {
		case 0:
			(void)msg_get_u8(&m);
			break;
		case 1:
			(void)msg_get_u32(&m);
			break;
		case 2:
			(void)msg_get_u64(&m);
			break;
		case 3:
			read_str(&m, 1 + script[i] / 5u);
			break;
		case 4:
			free(msg_get_strdup(&m));
			break;
		}
		if (m.pos < before || m.pos > m.len)
			abort();
		if (msg_end(&m) && (m.bad || m.pos != m.len))
			abort();
	}
}

static void
read_connector(struct msg m)
{
	struct connector_conf c = { 0 };

	if (slice_connector.get(&c, &m) == 0 &&
	    (c.host == NULL || c.callback_url == NULL))
		abort();
	slice_free_connector(&c);
}

static void
read_authd(struct msg m)
{
	struct authd_conf c = { 0 };

	if (slice_authd.get(&c, &m) == 0 &&
	    (c.database_path == NULL || c.users[0] == NULL ||
		c.orgs[1] == NULL))
		abort();
	slice_free_authd(&c);
}

static void
read_dialer(struct msg m)
{
	struct dialer_conf c = { 0 };

	if (slice_dialer.get(&c, &m) == 0 &&
	    (c.host == NULL || c.proxy_auth == NULL))
		abort();
	slice_free_dialer(&c);
}

static void
read_small(struct msg m)
{
	struct proxyd_conf c = { 0 };
	struct session session;
	struct link_up up;
	char login[SESSION_LOGIN_MAX], handle[HANDLE_SIZE];
	uint64_t github_id;
	struct msg again = m;

	(void)slice_proxyd.get(&c, &again);
	slice_free_proxyd(&c);
	again = m;
	if (session_read(&again, &session) == 0 &&
	    (session.status >= SESSION_STATUS_COUNT ||
		session.role >= SESSION_ROLE_COUNT))
		abort();
	again = m;
	(void)session_get_read(&again, &github_id, login);
	again = m;
	(void)handle_owner_read(&again, &github_id, login);
	again = m;
	(void)handle_read(&again, handle);
	if (handle[0] != '\0' && strlen(handle) != HANDLE_LEN)
		abort();
	again = m;
	if (link_up_read(&again, &up) == 0 &&
	    ((up.capabilities & ~LINK_CAPABILITIES_KNOWN) != 0 ||
		strlen(up.client_id) >= sizeof(up.client_id)))
		abort();
}

static void
read_admin(struct msg m)
{
	struct admin_request request;
	struct admin_user user;
	struct admin_token token;
	struct admin_done done;
	struct msg again = m;

	if (admin_request_read(&again, &request) == 0 &&
	    request.op >= ADMIN_OP_COUNT)
		abort();
	again = m;
	if (admin_user_read(&again, &user) == 0 &&
	    user.role >= SESSION_ROLE_COUNT)
		abort();
	again = m;
	(void)admin_token_read(&again, &token);
	again = m;
	(void)admin_done_read(&again, &done);
}

static void
read_people(struct msg m)
{
	char token[SESSION_TOKEN_MAX + 1];
	struct audit_record record;
	struct msg again = m;

	if (audit_read(&again, &record) == 0 &&
	    (audit_event_name(record.event) == NULL ||
		audit_verdict_name(record.verdict) == NULL))
		abort();
	again = m;
	if (session_token_read(&again, token) == 0 ? !slice_is_token(token)
						   : token[0] != '\0')
		abort();
}

/*
 * The first bytes: sender, receiver, state, and how much of the rest is the
 * script; what is left is the datagram.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg m = { .fd = -1 };
	const uint8_t *script, *datagram;
	size_t n;
	int fd;

	if (size < 4)
		return 0;
	n = data[3] < size - 4 ? data[3] : size - 4;
	script = data + 4;
	datagram = script + n;
	fd = (data[2] & 0x80) != 0 ? 0 : -1;
	if (msg_parse(&m, datagram, size - 4 - n, fd,
		(enum program)(data[0] % (PROGRAM_COUNT + 1)),
		(enum program)(data[1] % (PROGRAM_COUNT + 1)),
		(enum msg_state)(data[2] % 3)) == NULL) {
		if (m.len != size - 4 - n - MSG_HEADER_SIZE ||
		    m.data != datagram + MSG_HEADER_SIZE ||
		    strcmp(msg_name(m.type), "?") == 0)
			abort();
	} else
		m = (struct msg){ .type = MSG_HELLO,
			.fd = -1,
			.data = datagram,
			.len = size - 4 - n };
	read_fields(m, script, n);
	read_connector(m);
	read_authd(m);
	read_dialer(m);
	read_small(m);
	read_admin(m);
	read_people(m);
	return 0;
}
