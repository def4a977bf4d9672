#include <event2/buffer.h>
#include <event2/http.h>

#include <stddef.h>

#include "common/embed.h"
#include "hub/page.h"

EMBED(page_html, "hub/page.html");
EMBED(page_script, "hub/page.js");
EMBED(page_style, "hub/page.css");

/* Nothing inline and nothing from elsewhere: markup cannot run. */
static const char policy[] = "default-src 'none'; script-src 'self'; "
			     "style-src 'self'; connect-src 'self'; "
			     "base-uri 'none'; form-action 'none'; "
			     "frame-ancestors 'none'";

void
page_send(struct evhttp_request *req, enum page_file file)
{
	static const struct {
		const char *type, *begin, *end;
	} files[] = {
		[PAGE_HTML] = { "text/html", page_html, page_html_end },
		[PAGE_SCRIPT] = { "text/javascript", page_script,
		    page_script_end },
		[PAGE_STYLE] = { "text/css", page_style, page_style_end },
	};
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	(void)evhttp_add_header(headers, "Content-Type", files[file].type);
	(void)evhttp_add_header(headers, "Cache-Control", "no-cache");
	(void)evhttp_add_header(headers, "Content-Security-Policy", policy);
	(void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	(void)evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
	if (body != NULL && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		(void)evbuffer_add_reference(body, files[file].begin,
		    (size_t)(files[file].end - files[file].begin), NULL, NULL);
	evhttp_send_reply(req, 200, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}
