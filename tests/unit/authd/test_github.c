/* Requests and answers, connections, and what may go wrong with them. */

#include "tests/unit/authd/github_fixture.h"

#define PLAIN "http://127.0.0.1:8080/api/v3/"

static void
test_request(void **state)
{
	struct call c;
	int i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < 10; i++) {
		f.seen[0] = '\0';
		c = get("/users/octo?per_page=100&page=2");
		assert_good(&c);
		assert_false(c.answer.more);
		assert_string_equal(f.seen,
		    "GET /api/v3/users/octo?per_page=100&page=2 HTTP/1.1\r\n"
		    "Host: 127.0.0.1:8080\r\n"
		    "Accept: application/vnd.github+json\r\n"
		    "X-GitHub-Api-Version: 2022-11-28\r\n"
		    "User-Agent: tetherd/" TETHERD_VERSION "\r\n"
		    "Authorization: Bearer ghp_secret\r\n\r\n");
	}
	c = get("/a/../b/%2e%2E/c");
	assert_non_null(strstr(f.seen, "GET /api/v3/a/../b/%2e%2E/c HTTP"));
	assert_int_equal(f.dials, 1);
	assert_int_equal(github_asked(f.github), 11);
	assert_int_equal(github_failed(f.github), 0);
}

/* One kind of answer. */
static const struct answer {
	struct reply reply;
	enum github_result result;
	int status;
	const char *json; /* or why it failed */
} answers[] = {
	{ { .text = good, .slowly = true }, GITHUB_ANSWERED, 200,
	    "{\"login\":\"octocat\"}" },
	{ { .text = OK("6\r\n\r\n[{},1]") }, GITHUB_ANSWERED, 200, "[{},1]" },
	{ { .text = OK("0\r\n\r\n") }, GITHUB_ANSWERED, 200, "" },
	{ { .text = OK("3\r\n\r\n\"a\"") }, GITHUB_ANSWERED, 200, "" },
	{ { .text = OK("3\r\n\r\n{} x") }, GITHUB_ANSWERED, 200, "{}" },
	{ { .text = OK("4\r\n\r\n{} x") }, GITHUB_ANSWERED, 200, "" },
	{ { .text = OK("6\r\n\r\n<html>") }, GITHUB_ANSWERED, 200, "" },
	{ { .text = "HTTP/1.1 204 No Content\r\n\r\n" }, GITHUB_ANSWERED, 204,
	    "" },
	{ { .text = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}" },
	    GITHUB_ANSWERED, 404, "{}" },
	{ { .text = "HTTP/1.1 401 No\r\nContent-Length: 2\r\n"
		    "WWW-Authenticate: Basic realm=x\r\n\r\n{}" },
	    GITHUB_ANSWERED, 401, "{}" },
	{ { .text = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n{}" },
	    GITHUB_ANSWERED, 403, "{}" },
	{ { .text = "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}" },
	    GITHUB_ANSWERED, 500, "{}" },
	/* It leads nowhere. */
	{ { .text = "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n"
		    "Location: http://127.0.0.1:8080/user\r\n\r\n{}" },
	    GITHUB_ANSWERED, 302, "{}" },
	/* An interim answer, whose fields are not those of the last one. */
	{ { .text = "HTTP/1.1 103 Early Hints\r\nLink: <a>; rel=next\r\n\r\n"
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" },
	    GITHUB_ANSWERED, 200, "{}" },
	{ { .text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		    "LINK: <https://a/?page=1>; rel=\"prev\",\r\n"
		    "Link: <https://a/?page=2>; rel=\"next\"\r\n\r\n[]" },
	    GITHUB_ANSWERED, 200, "[]" },
	{ { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "1\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: y\r\n\r\n" },
	    GITHUB_ANSWERED, 200, "{}" },
	/* Nobody asked for that, so nobody unpacks it. */
	{ { .text = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		    "Content-Length: 2\r\n\r\n{}" },
	    GITHUB_ANSWERED, 200, "{}" },
	{ { .text = "HTTP/1.0 200 OK\r\n\r\n{\"a\":1}", .then = CLOSE },
	    GITHUB_ANSWERED, 200, "{\"a\":1}" },
	{ { .text = OK("262144\r\n\r\n[\""), .fill = 262140, .tail = "\"]" },
	    GITHUB_ANSWERED, 200, NULL },
	{ { .text = OK("262145\r\n\r\n[\""), .fill = 262141, .tail = "\"]" },
	    GITHUB_FAILED, 0, "the answer is too large" },
	{ { .text = "HTTP/1.1 200 OK\r\n\r\n[\"",
	      .fill = 1000000,
	      .then = CLOSE },
	    GITHUB_FAILED, 0, "the answer is too large" },
	{ { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "100000\r\n",
	      .fill = 0x100000,
	      .tail = "\r\n0\r\n\r\n" },
	    GITHUB_FAILED, 0, "the answer is too large" },
	{ { .text = "HTTP/1.1 200 OK\r\nX: ",
	      .fill = 40000,
	      .tail = "\r\n\r\n" },
	    GITHUB_FAILED, 0, "the head of the answer is too large" },
	{ { .text = "HTTP/1.1 200 OK\r\nX: ",
	      .fill = 1000000,
	      .tail = "\r\n\r\n" },
	    GITHUB_FAILED, 0, "" },
	{ { .text = OK("20\r\n\r\n{\"login\""), .then = CLOSE }, GITHUB_FAILED,
	    0, "" },
	{ { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "1\r\n{\r\n",
	      .then = CLOSE },
	    GITHUB_FAILED, 0, "" },
	{ { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "zz\r\n{\r\n" },
	    GITHUB_FAILED, 0, "" },
	{ { .text = "HTTP/1.1 200 OK\r\nContent-", .then = CLOSE },
	    GITHUB_FAILED, 0, "" },
	{ { .text = "SSH-2.0-OpenSSH\r\n", .then = CLOSE }, GITHUB_FAILED, 0,
	    "HTTP/0.9" },
	{ { .text = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
	      .then = CLOSE },
	    GITHUB_FAILED, 0, "" },
};

static void
check_answer(const struct answer *a, const struct call *c)
{
	assert_int_equal(c->done, 1);
	if (c->answer.result != a->result || c->answer.status != a->status)
		fail_msg("%s: result %d, status %d, %s", a->reply.text,
		    c->answer.result, c->answer.status, c->why);
	if (a->result == GITHUB_FAILED) {
		assert_failed(c, a->json);
		assert_true(c->why[0] != '\0');
		return;
	}
	if (a->json != NULL && strcmp(c->json, a->json) != 0)
		fail_msg("%s: %s", a->reply.text, c->json);
	assert_int_equal(
	    c->answer.more, strstr(a->reply.text, "page=2") != NULL);
}

static void
test_answers(void **state)
{
	unsigned failed = 0;
	struct reply reply;
	struct call c;
	size_t i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < COUNT(answers); i++) {
		reply = answers[i].reply;
		reply.path = "/api/v3/odd";
		f.nreplies = 0;
		on_path(reply);
		c = get("/odd");
		check_answer(&answers[i], &c);
		failed += answers[i].result == GITHUB_FAILED;
		/* Whatever it was, the next one is as usual. */
		c = get("/user");
		assert_good(&c);
	}
	assert_int_equal(github_failed(f.github), failed);
	assert_null(strstr(f.seen, "ookie"));
}

/* As many lines as there may be, and one more. */
static void
test_head_lines(void **state)
{
	static char text[16384];
	struct call c;
	int i, n;

	(void)state;
	start(PLAIN);
	for (n = 197; n <= 198; n++) {
		(void)strlcpy(text, "HTTP/1.1 200 OK\r\n", sizeof(text));
		for (i = 0; i < n; i++)
			(void)strlcat(text, "X-Y: z\r\n", sizeof(text));
		(void)strlcat(
		    text, "Content-Length: 2\r\n\r\n{}", sizeof(text));
		f.nreplies = 0;
		on_path((struct reply){ .path = "/api/v3/x", .text = text });
		c = get("/x");
		if (n == 197)
			assert_string_equal(c.json, "{}");
		else
			assert_failed(
			    &c, "the head of the answer is too large");
	}
}

static void
test_limited(void **state)
{
	static const char *const texts[] = {
		"HTTP/1.1 403 No\r\nRetry-After: 7\r\nContent-Length: 2\r\n",
		"HTTP/1.1 429 No\r\nretry-after: 7\r\nContent-Length: 2\r\n"
		"X-RateLimit-Reset: 99999999999\r\n",
	};
	char text[256];
	struct call c;
	size_t i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < COUNT(texts); i++) {
		(void)snprintf(text, sizeof(text), "%s\r\n{}", texts[i]);
		f.nreplies = 0;
		on_path((struct reply){ .path = "/api/v3/x", .text = text });
		c = get("/x");
		assert_int_equal(c.answer.result, GITHUB_LIMITED);
		assert_int_equal(c.answer.wait_ms, 7000);
		assert_string_equal(c.json, "{}");
	}
	assert_int_equal(github_failed(f.github), 0);
}

/* Nothing that could be two lines of a head leaves this process. */
static void
test_unsendable(void **state)
{
	static const char *const tokens[] = { "", "a b", "a\r\nX: y", "\x7f",
		"a\nb", "t\xc3\xa4" };
	char path[GITHUB_PATH_MAX + 2];
	struct call c = { 0 };
	size_t i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < COUNT(tokens); i++) {
		c.done = 0;
		(void)github_get(f.github, "/user", tokens[i],
		    monotonic_ms() + 1000, on_answer, &c);
		assert_int_equal(c.done, 0);
		wait_for(&c.done, 1);
		assert_failed(&c, "no token that can be sent");
	}
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[GITHUB_PATH_MAX + 1] = '\0';
	c = get(path);
	assert_failed(&c, "no path of the API");
	path[GITHUB_PATH_MAX] = '\0';
	c = get(path);
	assert_good(&c);
	c = get("user");
	assert_failed(&c, "no path of the API");
	assert_int_equal(github_asked(f.github), 1);
}

static void
test_dial_failed(void **state)
{
	struct call c[3] = { 0 };
	size_t i;

	(void)state;
	start(PLAIN);
	f.dialing = DIAL_LATER;
	for (i = 0; i < COUNT(c); i++)
		ask(&c[i], "/user");
	wait_for(&f.dials, 1);
	spin(50);
	assert_int_equal(f.dials, 1);
	answer_dial(f.dial_id, -1, "can't resolve it:\x1b no");
	for (i = 0; i < COUNT(c); i++) {
		wait_for(&c[i].done, 1);
		assert_failed(&c[i], "can't resolve it:? no");
	}
	assert_int_equal(f.dials, 1);
	f.dialing = DIAL;
	c[0] = get("/user");
	assert_good(&c[0]);
	assert_int_equal(f.dials, 2);
}

/* A kept connection that the server gave up is replaced without a word. */
static void
test_stale(void **state)
{
	struct call c;

	(void)state;
	start(PLAIN);
	on_path((struct reply){
	    .path = "/api/v3/bye", .text = good, .then = CLOSE, .times = 1 });
	c = get("/bye");
	assert_good(&c);
	link_end(&f.links[0]);
	c = get("/user");
	assert_good(&c);
	assert_int_equal(f.dials, 2);

	/* It is closed only when the next request arrives. */
	on_path((struct reply){
	    .path = "/api/v3/late", .then = CLOSE, .times = 1 });
	c = get("/late");
	assert_good(&c);
	assert_int_equal(f.dials, 3);
	assert_int_equal(github_failed(f.github), 0);
}

/* One connection after the other, each closed by one of both sides. */
static void
test_short_lived(void **state)
{
	struct call c = { 0 };
	unsigned i;

	(void)state;
	start(PLAIN);
	on_path((struct reply){
	    .path = "/api/v3/bye", .text = good, .then = CLOSE });
	on_path((struct reply){ .path = "/api/v3/slow", .then = HANG });
	for (i = 0; i < 50; i++) {
		c = get("/bye");
		assert_good(&c);
		f.requests = 0;
		ask(&c, "/slow");
		wait_for(&f.requests, 1);
		github_cancel(c.request);
	}
	assert_int_equal(f.dials, 100);
	assert_int_equal(github_failed(f.github), 0);
}

static void
test_deadlines(void **state)
{
	static const struct {
		struct reply reply;
		const char *why;
	} table[] = {
		{ { .then = HANG }, "no answer in time" },
		{ { .text = "HTTP/1.1 200 OK\r\nCont", .then = HANG },
		    "no answer in time" },
		{ { .text = OK("20\r\n\r\n{\"log"), .then = HANG },
		    "no answer in time" },
		{ { .text = OK("9000\r\n\r\n"),
		      .fill = 9000,
		      .slowly = true,
		      .then = HANG },
		    "no answer in time" },
	};
	struct reply reply;
	struct call c = { 0 };
	int64_t before;
	size_t i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < COUNT(table); i++) {
		reply = table[i].reply;
		reply.path = "/api/v3/slow";
		f.nreplies = 0;
		on_path(reply);
		c.done = 0;
		before = monotonic_ms();
		ask_until(&c, "/slow", 100);
		wait_for(&c.done, 1);
		assert_failed(&c, table[i].why);
		assert_in_range(monotonic_ms() - before, 95, 1000);
		c = get("/user");
		assert_good(&c);
	}
	c.done = 0;
	ask_until(&c, "/user", -5);
	wait_for(&c.done, 1);
	assert_int_equal(c.answer.result, GITHUB_FAILED);
}

static void
test_deadline_while_dialing(void **state)
{
	struct call c = { 0 }, later;

	(void)state;
	start(PLAIN);
	f.dialing = DIAL_LATER;
	ask_until(&c, "/user", 100);
	wait_for(&c.done, 1);
	assert_failed(&c, "no connection in time");
	assert_int_equal(f.dials, 1);
	/* The socket comes when nobody is there. */
	answer_dial(f.dial_id, link_new(), "peer");
	spin(20);
	f.dialing = DIAL;
	later = get("/user");
	assert_good(&later);
	assert_int_equal(f.dials, 2);
}

static void
test_deadline_in_queue(void **state)
{
	struct call busy[GITHUB_AT_ONCE] = { 0 }, c = { 0 };
	size_t i;

	(void)state;
	start(PLAIN);
	on_path((struct reply){ .path = "/api/v3/slow", .then = HANG });
	for (i = 0; i < COUNT(busy); i++)
		ask(&busy[i], "/slow");
	ask_until(&c, "/user", 100);
	wait_for(&c.done, 1);
	assert_failed(&c, "too many requests before it");
	assert_int_equal(github_asked(f.github), GITHUB_AT_ONCE);
	c.done = 0;
	ask(&c, "/user");
	spin(20);
	assert_int_equal(c.done, 0);
	github_cancel(busy[3].request);
	wait_for(&c.done, 1);
	assert_good(&c);
	for (i = 0; i < COUNT(busy); i++)
		assert_int_equal(busy[i].done, 0);
}

static void
test_many(void **state)
{
	static struct call c[100];
	size_t i;

	(void)state;
	memset(c, 0, sizeof(c));
	start(PLAIN);
	for (i = 0; i < COUNT(c); i++)
		ask(&c[i], "/user");
	for (i = 0; i < COUNT(c); i++) {
		wait_for(&c[i].done, 1);
		assert_good(&c[i]);
	}
	spin(20);
	assert_in_range(f.dials, 1, GITHUB_AT_ONCE);
	assert_int_equal(f.requests, COUNT(c));
	assert_int_equal(github_asked(f.github), COUNT(c));
}

static void
test_too_many(void **state)
{
	static struct call c[GITHUB_AT_ONCE + GITHUB_WAITING + 3];
	size_t i, full = GITHUB_AT_ONCE + GITHUB_WAITING;

	(void)state;
	memset(c, 0, sizeof(c));
	start(PLAIN);
	f.dialing = DIAL_LATER;
	for (i = 0; i < COUNT(c); i++)
		ask(&c[i], "/user");
	for (i = full; i < COUNT(c); i++) {
		wait_for(&c[i].done, 1);
		assert_failed(&c[i], "too many requests at once");
	}
	assert_int_equal(c[full - 1].done, 0);
	wait_for(&f.dials, 1);
	f.dialing = DIAL;
	answer_dial(f.dial_id, link_new(), "peer");
	for (i = 0; i < full; i++) {
		wait_for(&c[i].done, 1);
		assert_good(&c[i]);
	}
}

/* At every stage: nothing is heard of it, and others go on. */
static void
test_cancel(void **state)
{
	static const struct reply slow[] = {
		{ .then = HANG },
		{ .text = "HTTP/1.1 200 OK\r\nCont", .then = HANG },
		{ .text = OK("20\r\n\r\n{\"log"), .then = HANG },
	};
	struct call c = { 0 }, other;
	struct reply reply;
	size_t i;

	(void)state;
	start(PLAIN);
	f.dialing = DIAL_LATER;
	ask(&c, "/user"); /* curl has it, and did nothing yet */
	github_cancel(c.request);
	ask(&c, "/user");
	wait_for(&f.dials, 1);
	github_cancel(c.request); /* while its socket is made */
	ask(&c, "user");
	github_cancel(c.request); /* refused already */
	f.dialing = DIAL;
	other = (struct call){ 0 };
	ask(&other, "/user");
	spin(20);
	answer_dial(f.dial_id, link_new(), "peer");
	wait_for(&other.done, 1);
	assert_good(&other);
	for (i = 0; i < COUNT(slow); i++) {
		reply = slow[i];
		reply.path = "/api/v3/slow";
		f.nreplies = 0;
		on_path(reply);
		ask(&c, "/slow");
		spin(30);
		github_cancel(c.request);
		other = get("/user");
		assert_good(&other);
	}
	assert_int_equal(c.done, 0);
	assert_int_equal(github_failed(f.github), 0);
}

static struct call chain[4];

/* From inside done(): the others are forgotten, and one more is asked for. */
static void
cancel_others(struct call *c)
{
	size_t i;

	for (i = 0; i < 3; i++) {
		chain[i].then = NULL;
		if (&chain[i] != c)
			github_cancel(chain[i].request);
	}
	ask(&chain[3], "/user");
}

static void
test_cancel_inside(void **state)
{
	unsigned way;
	size_t i;

	(void)state;
	start(PLAIN);
	for (way = 0; way < 3; way++) {
		memset(chain, 0, sizeof(chain));
		f.dials = 0;
		f.dialing = DIAL_LATER;
		for (i = 0; i < 3; i++) {
			chain[i].then = cancel_others;
			ask(&chain[i], way == 2 && i == 1 ? "user" : "/user");
		}
		if (way < 2)
			wait_for(&f.dials, 1);
		f.dialing = DIAL;
		if (way == 0)
			answer_dial(f.dial_id, -1, "no");
		else if (way == 1)
			answer_dial(f.dial_id, link_new(), "peer");
		wait_for(&chain[3].done, 1);
		assert_good(&chain[3]);
		assert_int_equal(
		    chain[0].done + chain[1].done + chain[2].done, 1);
		/* No connection is left for the next one. */
		set_url("http://127.0.0.1:1");
		set_url(PLAIN);
	}
}

/* A socket that came for one that is gone serves the next, but not for long. */
static void
test_spare(void **state)
{
	struct call busy = { 0 }, gone = { 0 }, c = { 0 };
	int late;

	(void)state;
	for (late = 0; late < 2; late++) {
		if (f.github == NULL)
			start(PLAIN);
		f.nreplies = 0;
		on_path((struct reply){ .path = "/api/v3/slow", .then = HANG });
		f.dials = 0;
		f.dialing = DIAL;
		f.requests = 0;
		ask(&busy, "/slow");
		wait_for(&f.requests, 1);
		f.dialing = DIAL_LATER;
		ask(&gone, "/user");
		wait_for(&f.dials, 2);
		github_cancel(gone.request);
		answer_dial(f.dial_id, link_new(), "peer");
		spin(20);
		if (late)
			f.later_ms += 5000;
		f.dialing = DIAL;
		c.done = 0;
		ask_until(&c, "/user", 60000);
		wait_for(&c.done, 1);
		assert_good(&c);
		assert_int_equal(f.dials, late ? 3 : 2);
		github_cancel(busy.request);
		set_url("http://127.0.0.1:1");
		set_url(PLAIN);
	}
}

static void
test_reload(void **state)
{
	struct call running = { 0 }, dialing = { 0 }, c;
	uint64_t id;

	(void)state;
	start(PLAIN);
	c = get("/user");
	assert_good(&c);
	/* Nothing that concerns it. */
	set_url("http://127.0.0.1:8080/api/v3");
	c = get("/user");
	assert_good(&c);
	assert_int_equal(f.dials, 1);

	on_path((struct reply){ .path = "/api/v3/slow", .then = HANG });
	ask(&running, "/slow");
	spin(20);
	f.dialing = DIAL_LATER;
	ask(&dialing, "/user");
	wait_for(&f.dials, 2);
	id = f.dial_id;
	set_url("http://127.0.0.1:8081");
	assert_int_equal(running.done + dialing.done, 0);
	f.dialing = DIAL;
	memset(&c, 0, sizeof(c));
	ask(&c, "/user");
	/* What comes for the old one is for nobody. */
	answer_dial(id, link_new(), "old");
	wait_for(&c.done, 1);
	assert_good(&c);
	wait_for(&running.done, 1);
	wait_for(&dialing.done, 1);
	assert_failed(&running, "the settings changed");
	assert_failed(&dialing, "the settings changed");
	assert_int_equal(f.dials, 3);
	assert_non_null(strstr(f.seen, "Host: 127.0.0.1:8081\r\n"));
	assert_int_equal(broken, 0);
}

static void
test_check(void **state)
{
	static char missing[] = "/missing.pem";
	static const struct {
		const char *url;
		const char *why;
	} table[] = {
		{ "https://api.github.com", NULL },
		{ "https://ghe.example/api/v3/", NULL },
		{ "http://localhost:8080", NULL },
		{ "https://[::1]:8443", NULL },
		{ "", "github: api url: " },
		{ "api.github.com", "github: api url: " },
		{ "https://", "github: api url: " },
		{ "https://a b/", "github: api url: " },
		{ "https://a:99999", "github: api url: " },
		{ "file:///etc/passwd", "github: api url: neither" },
		{ "ftp://a/", "github: api url: neither" },
		{ "https://u@a/", "github: api url: a user" },
		{ "https://u:p@a/", "github: api url: a user" },
		{ "https://a/?x", "github: api url: only a path" },
		{ "https://a/#x", "github: api url: only a path" },
	};
	struct authd_conf next = f.conf;
	char url[2048] = "https://a/";
	const char *why;
	size_t i;

	(void)state;
	start(PLAIN);
	for (i = 0; i < COUNT(table); i++) {
		next.github_api = strdup(table[i].url);
		next.github_ca_fd = -1;
		why = github_check(f.github, &next);
		if (table[i].why == NULL && why != NULL)
			fail_msg("%s: %s", table[i].url, why);
		if (table[i].why != NULL &&
		    (why == NULL || strstr(why, table[i].why) != why))
			fail_msg("%s: %s", table[i].url, why);
		free(next.github_api);
	}
	memset(url + 10, 'x', sizeof(url) - 11);
	next.github_api = url;
	assert_string_equal(
	    github_check(f.github, &next), "github: api url: too long");
	url[20] = '\0';
	next.github_ca_file = missing;
	next.github_ca_fd = f.nlinks > 0 ? -1 : memfd_create("ca", 0);
	assert_string_equal(github_check(f.github, &next),
	    "ca file: /missing.pem: no certificates in it");
	close(next.github_ca_fd);
}

/* From the parent, as well as anything else. */
static void
test_odd_dialed(void **state)
{
	struct call c;
	int pass;

	(void)state;
	start(PLAIN);
	answer_dial(0, link_new(), "never asked for");
	answer_dial(0, -1, "never asked for");
	spin(20);
	assert_int_equal(broken, 0);
	c = get("/user");
	assert_good(&c);
	answer_dial(f.dial_id, link_new(), "a second time");
	answer_dial(f.dial_id, -1, "a second time");
	spin(20);
	assert_int_equal(broken, 0);
	c = get("/user");
	assert_good(&c);
	assert_int_equal(f.dials, 1);
	for (pass = 0; pass < 2; pass++) {
		struct msg m = { .type = MSG_GITHUB_DIALED, .fd = -1 };

		m.data = (const uint8_t *)"\1\0\0\0x";
		m.len = 5;
		m.id = f.dial_id + (pass == 0);
		m.len -= (pass == 1);
		assert_int_equal(github_on_dialed(f.github, &m), -1);
		m.pos = 0;
		m.bad = false;
		assert_int_equal(github_on_dial_failed(f.github, &m), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request),
		TEST(test_answers),
		TEST(test_head_lines),
		TEST(test_limited),
		TEST(test_unsendable),
		TEST(test_dial_failed),
		TEST(test_stale),
		TEST(test_short_lived),
		TEST(test_deadlines),
		TEST(test_deadline_while_dialing),
		TEST(test_deadline_in_queue),
		TEST(test_many),
		TEST(test_too_many),
		TEST(test_cancel),
		TEST(test_cancel_inside),
		TEST(test_spare),
		TEST(test_reload),
		TEST(test_check),
		TEST(test_odd_dialed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
