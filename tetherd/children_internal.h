#ifndef TETHERD_CHILDREN_INTERNAL_H
#define TETHERD_CHILDREN_INTERNAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/channel.h"
#include "tetherd/children.h"

/* What children.c, children_process.c and children_conf.c share. */

struct event;
struct relay;

/* This many deaths of one child in this many seconds are too many. */
#define DEATHS_MAX    5
#define DEATHS_PERIOD 60

enum child_state {
	CHILD_STOPPED,
	CHILD_STARTING, /* until READY */
	CHILD_RUNNING,
	CHILD_STOPPING, /* told to; its end is no accident */
};

/* Questions with growing numbers, which are answered once, in order. */
struct asked {
	uint64_t last;
	uint64_t answered;
};

struct process {
	enum program program;
	enum child_state state;
	pid_t pid; /* 0 if there is none */
	int pidfd; /* -1 then */
	time_t started;
	struct channel *channel;
	struct relay *relay;
	struct event *timer;  /* must be ready, or gone, by then */
	bool start_again;     /* after CHILD_STOPPING */
	bool dead;	      /* only its last words are of interest */
	bool refused;	      /* its configuration, when it started */
	bool configured;      /* it was sent one */
	bool condemned;	      /* killed, as a peer wished */
	unsigned accusations; /* of others, that they are broken */
	enum log_level log_level;
	uint64_t staged;    /* the reload that it knows of, or 0 */
	uint64_t switching; /* the one that it is told to go on with, or 0 */
	uint64_t conf_id;   /* the one that it came with */
	struct asked confs;
	struct asked statuses;
	time_t deaths[DEATHS_MAX];
	unsigned ndeaths;
	struct children *children;
};

struct children {
	struct event_base *base;
	const struct conf *conf;
	uint64_t conf_id; /* of the reload that it came with */
	const struct children_ops *ops;
	void *arg;
	struct process process[PROGRAM_COUNT]; /* the lasting ones are used */
	struct event *stop_timer;
	bool was_ready;
	bool stays_away; /* the connector was told to, last */
	bool stopping;
	bool failed;
};

#define CHILDREN_LASTING 3
extern const enum program children_lasting[CHILDREN_LASTING];

/* children.c: the next step of stopping; that it is for a failure. */
void children_continue_stop(struct children *);
void children_fail(struct children *);

/* children_process.c: one child, from its start to its end. */
void process_init(struct process *, struct children *, enum program);
void process_start(struct process *);
void process_stop(struct process *);
void process_on_death(struct process *, int status);

/* One more death: true if there were too many in too little time. */
bool process_died_too_often(struct process *);

/* Kills it, if it runs. */
void process_free(struct process *);

/* False as soon as its channel is gone, a little before its death is known. */
bool process_listens(const struct process *);
const char *process_state(const struct process *);

/* children_conf.c: what a child answers to questions, and that it runs. */
int process_on_conf_accepted(void *, struct msg *);
int process_on_conf_refused(void *, struct msg *);
int process_on_conf_switched(void *, struct msg *);
int process_on_status(void *, struct msg *);
int process_on_restart(void *, struct msg *);
void process_conf_on_ready(struct process *);

/* What a child that is on its way out says is neither wrong nor needed. */
bool process_is_leaving(const struct process *);

/* There is no way back from a reload, and its turn has not come yet. */
bool process_is_behind(const struct process *);

/* children_people.c: what proxyd and authd tell of people. */
int process_on_audit(void *, struct msg *);
int process_on_admin_user(void *, struct msg *);
int process_on_admin_token(void *, struct msg *);
int process_on_admin_done(void *, struct msg *);

#endif
