#include <stdlib.h>
#include <string.h>

#include "common/slice.h"

void
slice_add_connector(struct msg_out *m, const struct connector_conf *c)
{
	msg_add_u8(m, c->enabled);
	msg_add_u8(m, c->tls);
	msg_add_str(m, c->host);
	msg_add_u32(m, c->port);
	msg_add_str(m, c->target);
	msg_add_str(m, c->client_id);
	msg_add_u32(m, c->reconnect_ms);
	msg_add_u32(m, c->heartbeat_ms);
	msg_add_str(m, c->ca_file);
	msg_add_str(m, c->hostname);
	msg_add_str(m, c->project);
	msg_add_str(m, c->version);
	msg_add_str(m, c->callback_url);
}

int
slice_get_connector(void *conf, struct msg *m)
{
	struct connector_conf *c = conf;

	c->enabled = msg_get_u8(m);
	c->tls = msg_get_u8(m);
	c->host = msg_get_strdup(m);
	c->port = msg_get_u32(m);
	c->target = msg_get_strdup(m);
	c->client_id = msg_get_strdup(m);
	c->reconnect_ms = msg_get_u32(m);
	c->heartbeat_ms = msg_get_u32(m);
	c->ca_file = msg_get_strdup(m);
	c->hostname = msg_get_strdup(m);
	c->project = msg_get_strdup(m);
	c->version = msg_get_strdup(m);
	c->callback_url = msg_get_strdup(m);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_proxyd(struct msg_out *m, const struct proxyd_conf *c)
{
	msg_add_str(m, c->upstream_host);
	msg_add_u32(m, c->upstream_port);
	msg_add_u32(m, c->requests_max);
	msg_add_u32(m, c->body_max);
	msg_add_u64(m, c->buffered_max);
	msg_add_u32(m, c->connect_ms);
	msg_add_u32(m, c->total_ms);
	msg_add_u8(m, c->page_script_external);
}

int
slice_get_proxyd(void *conf, struct msg *m)
{
	struct proxyd_conf *c = conf;

	c->upstream_host = msg_get_strdup(m);
	c->upstream_port = msg_get_u32(m);
	c->requests_max = msg_get_u32(m);
	c->body_max = msg_get_u32(m);
	c->buffered_max = msg_get_u64(m);
	c->connect_ms = msg_get_u32(m);
	c->total_ms = msg_get_u32(m);
	c->page_script_external = msg_get_u8(m) != 0;
	return msg_end(m) ? 0 : -1;
}

void
slice_add_authd(struct msg_out *m, const struct authd_conf *c)
{
	msg_add_str(m, c->database_path);
	msg_add_str(m, c->state_dir);
	msg_add_str(m, c->jwt_secret);
	msg_add_u8(m, c->jwt_secret_default);
	msg_add_str(m, c->token);
	msg_add_u8(m, c->rules);
	msg_add_str(m, c->users);
}

int
slice_get_authd(void *conf, struct msg *m)
{
	struct authd_conf *c = conf;

	c->database_path = msg_get_strdup(m);
	c->state_dir = msg_get_strdup(m);
	c->jwt_secret = msg_get_strdup(m);
	c->jwt_secret_default = msg_get_u8(m);
	c->token = msg_get_strdup(m);
	c->rules = msg_get_u8(m);
	c->users = msg_get_strdup(m);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_dialer(struct msg_out *m, const struct dialer_conf *c)
{
	msg_add_str(m, c->host);
	msg_add_u32(m, c->port);
	msg_add_str(m, c->proxy_host);
	msg_add_u32(m, c->proxy_port);
	msg_add_str(m, c->proxy_auth);
	msg_add_u32(m, c->timeout_ms);
}

int
slice_get_dialer(void *conf, struct msg *m)
{
	struct dialer_conf *c = conf;

	c->host = msg_get_strdup(m);
	c->port = msg_get_u32(m);
	c->proxy_host = msg_get_strdup(m);
	c->proxy_port = msg_get_u32(m);
	c->proxy_auth = msg_get_strdup(m);
	c->timeout_ms = msg_get_u32(m);
	return msg_end(m) ? 0 : -1;
}

static void
free_secret(char *s)
{
	if (s != NULL)
		freezero(s, strlen(s));
}

void
slice_free_connector(struct connector_conf *c)
{
	free(c->host);
	free(c->target);
	free(c->client_id);
	free(c->ca_file);
	free(c->hostname);
	free(c->project);
	free(c->version);
	free(c->callback_url);
	memset(c, 0, sizeof(*c));
}

void
slice_free_proxyd(struct proxyd_conf *c)
{
	free(c->upstream_host);
	memset(c, 0, sizeof(*c));
}

void
slice_free_authd(struct authd_conf *c)
{
	free(c->database_path);
	free(c->state_dir);
	free_secret(c->jwt_secret);
	free_secret(c->token);
	free(c->users);
	memset(c, 0, sizeof(*c));
}

void
slice_free_dialer(struct dialer_conf *c)
{
	free(c->host);
	free(c->proxy_host);
	free_secret(c->proxy_auth);
	memset(c, 0, sizeof(*c));
}
