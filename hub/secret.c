#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/secret.h"

FILE *
secret_open(const char *file)
{
	struct stat st;
	FILE *f;

	if ((f = fopen(file, "re")) == NULL) {
		log_warn("can't open %s", file);
		return NULL;
	}
	if (fstat(fileno(f), &st) == -1)
		log_warn("%s", file);
	else if (!S_ISREG(st.st_mode))
		log_warnx("%s is not a file", file);
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		log_warnx("%s is open to others: chmod 600 it", file);
	else
		return f;
	(void)fclose(f);
	return NULL;
}

char *
secret_read_line(const char *file)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f;

	if ((f = secret_open(file)) == NULL)
		return NULL;
	if (getline(&line, &size, f) != -1)
		line[strcspn(line, "\r\n")] = '\0';
	(void)fclose(f);
	if (line == NULL || *line == '\0') {
		log_warnx("%s is empty", file);
		free(line);
		return NULL;
	}
	return line;
}

bool
secret_equal(const char *a, const char *b)
{
	size_t i, len = strlen(a);
	volatile unsigned char difference = 0;

	if (len != strlen(b))
		return false;
	for (i = 0; i < len; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}
