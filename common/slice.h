#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/confinement.h"
#include "common/msg.h"
#include "common/session.h"

/*
 * The slice of the configuration that each child gets, and how it travels:
 * one message with its settings, and one with each file that the parent
 * opened for it.  Strings are malloc'd and never NULL once read.
 */

/* Files whose contents belong to a slice. */
enum conf_file {
	CONF_FILE_TOKEN,	/* authd: of the orchestrator */
	CONF_FILE_JWT_SECRET,	/* authd: of the upstream */
	CONF_FILE_GITHUB_TOKEN, /* authd: of this instance */
	CONF_FILE_CA,		/* connector: trusted certificates, PEM */
	CONF_FILE_GITHUB_CA,	/* authd: the same, for GitHub */
	CONF_FILE_COUNT
};

/* The largest secret, and the largest of these files, in bytes. */
#define CONF_SECRET_MAX 4096
#define CONF_FILE_MAX	(1024 * 1024)

/*
 * What a child that accepts a staged slice has to say, and is told.  authd
 * says CONF_TOKEN when it has another token of the orchestrator; connector is
 * told so then, and when the way to the orchestrator is another one: its own
 * slice may be the same, but its connection is to be made anew.
 */
#define CONF_RESTART	 0x1 /* it has to be started anew to take it */
#define CONF_TOKEN	 0x2
#define CONF_FLAGS_KNOWN (CONF_RESTART | CONF_TOKEN)

struct connector_conf {
	bool enabled; /* mode client; else it never connects */
	bool tls;     /* wss */
	char *host;   /* of the orchestrator, for SNI, Host and the check */
	uint32_t port;
	char *target; /* path and query, without token and client_id */
	char *client_id;
	uint32_t reconnect_ms; /* first delay */
	uint32_t heartbeat_ms;
	char *ca_file;	      /* its name, "" for the system's store */
	int ca_fd;	      /* the file itself, or -1 */
	uint32_t message_max; /* bytes, of the protocol, either way */
	uint32_t json_depth;  /* of what comes */
	uint32_t total_ms;    /* from request to whole answer */
	/* register.metadata */
	char *hostname;
	char *project;
	char *version;
	char *callback_url; /* "" for none */
	/*
	 * Who may claim this instance while it has no token: space-separated,
	 * "" for none.
	 */
	char *claim_users;
	char *claim_orgs;
	char *claim_teams; /* org/slug */
	struct confinement confinement;
};

struct proxyd_conf {
	/* Numeric; or "unix:" and the path of a socket, without a port. */
	char *upstream_host;
	uint32_t upstream_port;
	uint32_t requests_max; /* at once */
	uint32_t body_max;     /* bytes of an answer's body */
	uint64_t buffered_max; /* bytes of all requests and answers */
	uint32_t connect_ms;
	uint32_t total_ms;	   /* from request to whole answer */
	uint32_t tunnels_max;	   /* at once */
	uint32_t tunnels_user_max; /* of one person */
	uint32_t chats_max;	   /* at once */
	uint32_t chat_idle_ms;	   /* until one without a run ends */
	uint32_t headers_max;	   /* fields of a request or an answer */
	uint32_t headers_size_max; /* bytes of all of them */
	uint32_t json_depth;	   /* of what comes */
	bool watch_runs;	   /* ask the upstream what it works at */
	bool page_script_external; /* as a file, not inline */
	char *callback_url;	   /* of the UI, "" for none */
	char *deny_paths;	   /* for all; each ends with a newline */
	char *deny_paths_role[SESSION_ROLE_COUNT]; /* and for one role */
	bool rules; /* there are users, teams or orgs to be let in */
	uint32_t requests_rate; /* of one person in a second, 0 for any */
	uint32_t tunnels_rate;	/* opened by one person in a minute */
	uint32_t failures_rate; /* refusals of one person in a minute */
	bool audit;		/* of requests that are allowed, too */
	struct confinement confinement;
};

struct authd_conf {
	char *database_path; /* of the upstream */
	char *state_dir;
	char *jwt_secret; /* "" if it is to be found in the database */
	bool jwt_secret_default;
	char *orchestrator;   /* "host:port", by which tokens are stored */
	char *token;	      /* of the orchestrator, "" for none */
	char *github_token;   /* of this instance, "" for none */
	char *github_api;     /* URL */
	char *github_ca_file; /* its name, "" for the system's store */
	int github_ca_fd;     /* the file itself, or -1 */
	/* Whom to let in, by role: space-separated, "" for no such rule. */
	char *users[SESSION_ROLE_COUNT]; /* logins */
	char *teams[SESSION_ROLE_COUNT]; /* org/slug */
	char *orgs[SESSION_ROLE_COUNT];
	uint32_t cache_allowed_ms; /* how long GitHub's word counts */
	uint32_t cache_refused_ms;
	uint32_t failures_rate; /* refused GitHub tokens in a minute */
	bool watch_runs;	/* proxyd may: SESSION_SERVICE_WATCH */
	bool adopt; /* bind upstream users that were there, by login */
	bool trial; /* only see whether it could start, and say so */
	struct confinement confinement;
};

struct dialer_conf {
	char *host; /* name or numeric */
	uint32_t port;
	char *proxy_host; /* "" for a direct connection */
	uint32_t proxy_port;
	char *proxy_auth; /* "user:password", or "" */
	uint32_t timeout_ms;
	struct confinement confinement;
};

struct launcher_conf {
	struct confinement confinement;
};

/* How a child reads its slice, and how it is freed. */
struct slice_type {
	enum msg_type type; /* of the message with the settings */
	size_t size;	    /* of the struct */
	/* Read the settings into a zeroed struct: 0, or -1 if malformed. */
	int (*get)(void *conf, struct msg *);
	/*
	 * A file, by its name for messages: fd is taken over.  Returns NULL,
	 * or what is wrong with it, valid until the next call.
	 */
	const char *(*get_file)(
	    void *conf, enum conf_file, const char *path, int fd);
	/* Free all, the secrets wiped; the struct is zeroed. */
	void (*clear)(void *conf);
};

extern const struct slice_type slice_connector;
extern const struct slice_type slice_proxyd;
extern const struct slice_type slice_authd;
extern const struct slice_type slice_dialer;
extern const struct slice_type slice_launcher;

/* Printable ASCII without spaces: what can be a token of any service. */
bool slice_is_token(const char *);

void slice_add_connector(struct msg_out *, const struct connector_conf *);
void slice_add_proxyd(struct msg_out *, const struct proxyd_conf *);
void slice_add_authd(struct msg_out *, const struct authd_conf *);
void slice_add_dialer(struct msg_out *, const struct dialer_conf *);
void slice_add_launcher(struct msg_out *, const struct launcher_conf *);

/* Free the strings, the secrets wiped; the struct is zeroed. */
void slice_free_connector(struct connector_conf *);
void slice_free_proxyd(struct proxyd_conf *);
void slice_free_authd(struct authd_conf *);
void slice_free_dialer(struct dialer_conf *);

#endif
