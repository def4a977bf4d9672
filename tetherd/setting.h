#ifndef TETHERD_SETTING_H
#define TETHERD_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tetherd/complaints.h"
#include "tetherd/directive.h"
#include "tetherd/draft.h"

/*
 * What the parts of settings.c share: the table of all settings, and the
 * settings that are being read.
 */

/* The longest value, and the longest of all values of a list, in bytes. */
#define SETTING_VALUE_MAX 4096
#define SETTING_LIST_MAX  12288

/* The longest of all lists of people, teams and orgs, in bytes. */
#define SETTING_RULES_MAX 32768

/* What stands in place of a secret where the settings are printed. */
#define SETTING_MASK	"********"
#define SETTING_IS_MASK "this is what -nn shows in place of a secret"

struct macros;
struct reading;
struct setting;

/* How the values of a kind of setting are read, kept and written. */
struct setting_type {
	bool is_list; /* may be given again in tetherd.conf, for more of them */
	bool is_flag; /* has no value */
	/* In the environment, this value says nothing; NULL if each does. */
	bool (*is_void)(const char *);
	/* Keep a value, or complain. */
	void (*set)(const struct reading *, const char *value);
	/* As if it had never been set, and had no default; may be NULL. */
	void (*clear)(const struct setting *, struct draft *);
	/*
	 * Write its value, or of a list the one that is at *at, which starts
	 * as 0 and is SIZE_MAX behind the last.  False if there is none.
	 */
	bool (*print)(
	    const struct setting *, const struct draft *, size_t *at, FILE *);
};

extern const struct setting_type type_choice;	/* bool or uint32_t */
extern const struct setting_type type_number;	/* uint32_t or uint64_t */
extern const struct setting_type type_duration; /* milliseconds */
extern const struct setting_type type_size;	/* bytes */
extern const struct setting_type type_text;
extern const struct setting_type type_secret;
extern const struct setting_type type_path;   /* made absolute */
extern const struct setting_type type_folder; /* of a list with colons */
extern const struct setting_type type_list;   /* of texts, space-separated */
extern const struct setting_type type_file;   /* in conf.files */
extern const struct setting_type type_flag;   /* bool */
extern const struct setting_type type_url;
extern const struct setting_type type_proxy;

struct setting_choice {
	const char *word;
	uint64_t value;
};

/* Several ways to say one thing: the last one counts. */
enum setting_group { GROUP_NONE, GROUP_TOKEN, GROUP_JWT, GROUP_GITHUB };

struct setting {
	const char *block;
	const char *words;
	const char *names[2]; /* in the environment, the stronger one last */
	const struct setting_type *type;
	size_t offset; /* in struct draft */
	size_t size;
	uint64_t min, max;
	const struct setting_choice *choices; /* end with a NULL word */
	const char *why; /* what the environment says of a wrong choice */
	/* Of a text or an item: NULL, or what is wrong with it. */
	const char *(*check)(const char *);
	char separator; /* of a list in struct draft */
	enum conf_file file;
	enum setting_group group;
	bool secret; /* leaves the environment once it is read */
	bool yields; /* the variable is not its own: tetherd.conf counts more */
};

extern const struct setting settings_table[];
extern const size_t settings_table_len;

/* The blocks in their order, "" first; ends with NULL. */
extern const char *const settings_blocks[];

/* The one of those words, which must be there. */
const struct setting *setting_find(const char *block, const char *words);

/* Whence a setting has its value. */
struct provenance {
	enum origin_kind kind;
	char *file;
	unsigned line;
	const char *name; /* of the variable, for both environments */
};

struct settings {
	struct draft draft;
	struct provenance *from; /* as in settings_table */
	bool has_default_file;
	char **files; /* tetherd.conf and those that it includes */
	size_t nfiles;
	char *exposed; /* a file that others can read: it was told; or NULL */
};

struct provenance *settings_from(struct settings *, const struct setting *);

/* A value on its way from somewhere to the settings. */
struct reading {
	struct settings *settings;
	const struct setting *setting;
	struct origin origin;
	const char *name; /* of the variable; NULL in tetherd.conf */
	struct complaints *complaints;
};

/*
 * The setting has its value from there now, and no other of its group has
 * one; complains where tetherd.conf gives two of a group.
 */
void setting_claim(const struct reading *);

/* Nobody else may read that value. */
bool setting_is_secret(const struct setting *, const char *value);

/* A value of the environment: an empty setting is one that is not set. */
void setting_take_named(const struct reading *, const char *value);

/* Keep a value, or complain; of a list, one more. */
void setting_give(const struct reading *, const char *value);

/* Complain, with the name that the setting has where it stands. */
void setting_wrong(const struct reading *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void setting_wrong_mildly(const struct reading *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* The same: in tetherd.conf, what is wrong is said of the value. */
void setting_wrong_value(
    const struct reading *, const char *value, const char *why);

/* True, or complains: it can be written so that it reads as the same. */
bool setting_is_printable(const struct reading *, const char *);

/* A path, from the root on and printable, malloc'd; or NULL, and complains. */
char *setting_absolute(const struct reading *, const char *path);

/* Put a text, which is taken over, in place of another one, which is wiped.
 * Fatal for NULL: out of memory. */
void setting_put(char **text, char *now);

/* As it was when this setting got its value. */
void setting_reread(struct reading *, struct settings *, const struct setting *,
    struct complaints *);

/* The layers, each of which replaces what the ones before it gave.  False if
 * the file does not exist, and need not. */
bool settings_read_file(struct settings *, const char *path, bool required,
    const struct macros *, struct complaints *);
void settings_read_env_file(
    struct settings *, const char *path, struct complaints *);
void settings_read_environment(struct settings *, struct complaints *);

/* A line of tetherd.conf, for directive_ops; arg is the settings. */
void settings_found(void *arg, const struct directive *, struct complaints *);

/* Check the settings against each other and put them together. */
void settings_finish(struct settings *, struct complaints *);

/* The part of it that is about people: policy, and who may claim. */
void settings_finish_rules(struct settings *, struct complaints *);

#endif
