#include "connector/connector.h"

const char *
connector_client_id(const struct connector *c)
{
	return c->granted_id[0] != '\0' ? c->granted_id : c->conf.client_id;
}
