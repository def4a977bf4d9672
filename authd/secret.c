#include <string.h>

#include "authd/secret.h"
#include "authd/vault.h"
#include "common/log.h"
#include "common/slice.h"

/* Where the old web app finds no JWT_SECRET it uses this, as anyone may. */
static const char published[] = "claude-ui-dev-secret-change-in-production";

static const char *secret_read(struct secret *, struct upstream_db *);
static const char *secret_absent(struct secret *);

void
secret_init(struct secret *s, const struct authd_conf *conf)
{
	memset(s, 0, sizeof(*s));
	s->conf = conf;
	if ((s->value = vault_new(SECRET_MAX)) == NULL)
		fatalx("no memory for the JWT secret");
}

void
secret_free(struct secret *s)
{
	vault_free(s->value);
	memset(s, 0, sizeof(*s));
}

void
secret_check(const struct secret *s)
{
	if (s->conf->jwt_secret_default)
		log_warnx("the JWT secret that the web app publishes is "
			  "accepted: anyone who reaches the web app can sign "
			  "in as anybody");
	else if (strcmp(s->conf->jwt_secret, published) == 0)
		log_warnx("JWT_SECRET is the one that the web app publishes: "
			  "nobody will be signed in");
}

const char *
secret_get(struct secret *s, struct upstream_db *u)
{
	const char *secret = s->conf->jwt_secret;

	if (secret[0] == '\0')
		secret = secret_read(s, u);
	if (secret == NULL)
		return NULL;
	if (strcmp(secret, published) == 0 && !s->conf->jwt_secret_default) {
		trouble_report(&s->trouble,
		    "refusing the JWT secret that the web app publishes: set "
		    "JWT_SECRET to a random one, for the web app and here");
		return NULL;
	}
	trouble_over(&s->trouble, "JWT secret");
	return secret;
}

static const char *
secret_read(struct secret *s, struct upstream_db *u)
{
	enum db_result result;

	/* Another database means another secret. */
	if (s->value[0] != '\0' && s->generation == u->db.generation)
		return s->value;
	secret_forget(s);
	result = upstream_db_config(u, "jwt_secret", s->value, SECRET_MAX);
	database_forget(&u->db);
	switch (result) {
	case DB_OK:
		s->generation = u->db.generation;
		return s->value;
	case DB_MISSING:
		return secret_absent(s);
	case DB_NONE:
	case DB_TAKEN:
		secret_forget(s);
		trouble_report(&s->trouble,
		    "no usable JWT secret in user database %s: start the web "
		    "app once, or set JWT_SECRET to the one it is started with",
		    u->db.path);
		return NULL;
	case DB_FAILED:
		break;
	}
	secret_forget(s);
	return NULL;
}

/* The old web app keeps no secret in its database. */
static const char *
secret_absent(struct secret *s)
{
	if (s->conf->jwt_secret_default)
		return published;
	trouble_report(&s->trouble,
	    "no JWT secret: this web app does not keep one in its database, "
	    "so set JWT_SECRET to the same random text for it and here");
	return NULL;
}

void
secret_forget(struct secret *s)
{
	explicit_bzero(s->value, SECRET_MAX);
	s->generation = 0;
}
