#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "authd/health.h"

/* Those before it are over once GitHub gives a good answer. */
#define HEALTH_OF_GITHUB HEALTH_FORBIDDEN

void
health_report(struct health *h, enum health_kind kind, const char *format, ...)
{
	char line[TROUBLE_LINE_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	h->asked = true;
	if (kind < HEALTH_OF_GITHUB)
		(void)strlcpy(h->failing, line, sizeof(h->failing));
	trouble_report(&h->trouble[kind], "GitHub: %s", line);
}

void
health_good(struct health *h)
{
	bool announced = false;
	int kind;

	for (kind = 0; kind < HEALTH_OF_GITHUB; kind++) {
		announced = announced || h->trouble[kind].announced;
		h->trouble[kind].announced = false;
	}
	h->trouble[0].announced = announced;
	trouble_over(&h->trouble[0], "GitHub");
	h->failing[0] = '\0';
	h->asked = true;
}

void
health_reset(struct health *h)
{
	h->failing[0] = '\0';
	h->asked = false;
}

void
health_describe(const struct health *h, char *dst, size_t size)
{
	if (h->failing[0] != '\0')
		(void)snprintf(dst, size, "failing: %s", h->failing);
	else
		(void)strlcpy(dst, h->asked ? "works" : "not asked", size);
}
