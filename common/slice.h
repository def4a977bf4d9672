#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * The slice of the configuration that each child gets, and how it travels.
 * Strings are malloc'd and never NULL once read; the child keeps them for
 * the whole of its life.
 */

struct connector_conf {
	bool enabled; /* mode client; else it never connects */
	bool tls;     /* wss */
	char *host;   /* of the orchestrator, for SNI, Host and the check */
	uint32_t port;
	char *target; /* path and query, without token and client_id */
	char *client_id;
	uint32_t reconnect_ms; /* first delay */
	uint32_t heartbeat_ms;
	char *ca_file; /* "" for the system's */
	/* register.metadata */
	char *hostname;
	char *project;
	char *version;
	char *callback_url; /* "" for none */
};

struct proxyd_conf {
	char *upstream_host; /* numeric */
	uint32_t upstream_port;
	uint32_t requests_max; /* at once */
	uint32_t body_max;     /* bytes of an answer's body */
	uint64_t buffered_max; /* bytes of all requests and answers */
	uint32_t connect_ms;
	uint32_t total_ms;	   /* from request to whole answer */
	bool page_script_external; /* as a file, not inline */
};

struct authd_conf {
	char *database_path; /* of the upstream */
	char *state_dir;
	char *jwt_secret; /* "" if it is to be found in the database */
	bool jwt_secret_default;
	char *token; /* of the orchestrator, "" for none */
	bool rules;  /* team or org rules exist, which cannot be checked yet */
	char *users; /* logins let in, space-separated; "" for no such rule */
};

struct dialer_conf {
	char *host; /* name or numeric */
	uint32_t port;
	char *proxy_host; /* "" for a direct connection */
	uint32_t proxy_port;
	char *proxy_auth; /* "user:password", or "" */
	uint32_t timeout_ms;
};

void slice_add_connector(struct msg_out *, const struct connector_conf *);
void slice_add_proxyd(struct msg_out *, const struct proxyd_conf *);
void slice_add_authd(struct msg_out *, const struct authd_conf *);
void slice_add_dialer(struct msg_out *, const struct dialer_conf *);

/* Readers in the form of child_conf_reader; conf is the struct above. */
int slice_get_connector(void *conf, struct msg *);
int slice_get_proxyd(void *conf, struct msg *);
int slice_get_authd(void *conf, struct msg *);
int slice_get_dialer(void *conf, struct msg *);

/* Free the strings, the secrets wiped; the struct is zeroed. */
void slice_free_connector(struct connector_conf *);
void slice_free_proxyd(struct proxyd_conf *);
void slice_free_authd(struct authd_conf *);
void slice_free_dialer(struct dialer_conf *);

#endif
