#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/value.h"

/* bool, an enum, uint32_t or uint64_t. */
static void
put_integer(const struct setting *s, struct draft *d, uint64_t value)
{
	void *at = (char *)d + s->offset;
	uint32_t narrow = (uint32_t)value;
	bool flag = value != 0;

	if (s->size == sizeof(value))
		memcpy(at, &value, sizeof(value));
	else if (s->size == sizeof(narrow))
		memcpy(at, &narrow, sizeof(narrow));
	else
		memcpy(at, &flag, sizeof(flag));
}

static uint64_t
integer_of(const struct setting *s, const struct draft *d)
{
	const void *at = (const char *)d + s->offset;
	uint64_t value;
	uint32_t narrow;
	bool flag;

	if (s->size == sizeof(value))
		return memcpy(&value, at, sizeof(value)), value;
	if (s->size == sizeof(narrow))
		return memcpy(&narrow, at, sizeof(narrow)), narrow;
	return memcpy(&flag, at, sizeof(flag)), flag;
}

/* What differs between the three kinds of numbers. */
struct notation {
	const char *noun, *example;
	bool (*read)(const char *, uint64_t *);
	char *(*write)(char *, uint64_t);
};

static const struct notation number = { "number", "", value_number,
	value_number_text };
static const struct notation duration = { "duration", ", like 30s or 5m",
	value_duration, value_duration_text };
static const struct notation size = { "size", ", like 32M", value_size,
	value_size_text };

static void
say_bounds(const struct reading *r, const struct notation *n, const char *value)
{
	char why[128], low[VALUE_TEXT_MAX], high[VALUE_TEXT_MAX];

	(void)snprintf(why, sizeof(why), "not a %s from %s to %s%s", n->noun,
	    n->write(low, r->setting->min), n->write(high, r->setting->max),
	    n->example);
	setting_wrong_value(r, value, why);
}

/* In the environment all of them are bare numbers, times milliseconds. */
static void
set_integer(
    const struct reading *r, const struct notation *n, const char *value)
{
	const struct setting *s = r->setting;
	uint64_t given;

	if (r->name != NULL)
		n = &number;
	if (n->read(value, &given) && given >= s->min && given <= s->max)
		put_integer(s, &r->settings->draft, given);
	else
		say_bounds(r, n, value);
}

static void
print_integer(const struct setting *s, const struct draft *d,
    const struct notation *n, size_t *at, FILE *f)
{
	char text[VALUE_TEXT_MAX];

	fputs(n->write(text, integer_of(s, d)), f);
	*at = SIZE_MAX;
}

static void
set_number(const struct reading *r, const char *value)
{
	set_integer(r, &number, value);
}

static bool
print_number(
    const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	print_integer(s, d, &number, at, f);
	return true;
}

const struct setting_type type_number = {
	.set = set_number,
	.print = print_number,
};

static void
set_duration(const struct reading *r, const char *value)
{
	set_integer(r, &duration, value);
}

static bool
print_duration(
    const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	print_integer(s, d, &duration, at, f);
	return true;
}

const struct setting_type type_duration = {
	.set = set_duration,
	.print = print_duration,
};

static void
set_size(const struct reading *r, const char *value)
{
	set_integer(r, &size, value);
}

static bool
print_size(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	print_integer(s, d, &size, at, f);
	return true;
}

const struct setting_type type_size = {
	.set = set_size,
	.print = print_size,
};

static void
say_choices(const struct reading *r, const char *value)
{
	const struct setting_choice *c = r->setting->choices;
	char why[128];

	if (r->name != NULL && r->setting->why != NULL) {
		setting_wrong(r, "%s", r->setting->why);
		return;
	}
	if (c[2].word == NULL) {
		(void)snprintf(why, sizeof(why), "neither %s nor %s", c[0].word,
		    c[1].word);
		setting_wrong_value(r, value, why);
		return;
	}
	(void)snprintf(why, sizeof(why), "none of %s", c->word);
	while ((++c)->word != NULL) {
		(void)strlcat(why, ", ", sizeof(why));
		(void)strlcat(why, c->word, sizeof(why));
	}
	setting_wrong_value(r, value, why);
}

static void
set_choice(const struct reading *r, const char *value)
{
	const struct setting_choice *c;

	for (c = r->setting->choices; c->word != NULL; c++)
		if (strcmp(c->word, value) == 0) {
			put_integer(r->setting, &r->settings->draft, c->value);
			return;
		}
	say_choices(r, value);
}

static bool
print_choice(
    const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	const struct setting_choice *c;

	for (c = s->choices; c->word != NULL; c++)
		if (c->value == integer_of(s, d))
			fputs(c->word, f);
	*at = SIZE_MAX;
	return true;
}

const struct setting_type type_choice = {
	.set = set_choice,
	.print = print_choice,
};

static void
set_flag(const struct reading *r, const char *value)
{
	(void)value;
	put_integer(r->setting, &r->settings->draft, true);
}

static void
clear_flag(const struct setting *s, struct draft *d)
{
	put_integer(s, d, false);
}

/* Its words are all there is of it. */
static bool
print_flag(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	(void)f;
	*at = SIZE_MAX;
	return integer_of(s, d) != 0;
}

const struct setting_type type_flag = {
	.is_flag = true,
	.set = set_flag,
	.clear = clear_flag,
	.print = print_flag,
};
