#ifndef HUB_ANSWER_H
#define HUB_ANSWER_H

struct body;
struct instance;
struct json_object;

/*
 * An http_proxy_response came, whose body was cut out: answer the browser.
 * Returns NULL, or what is wrong with the message, in which case the
 * browser gets a 502 if it is known which one waits.
 */
const char *answer_receive(
    struct instance *, struct json_object *message, struct body *);

#endif
