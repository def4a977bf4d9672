#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tetherd/dotenv.h"
#include "tetherd/setting.h"

#define ENV_FILE_MAX (1024 * 1024)

struct env_file {
	const char *path;
	struct settings *settings;
	struct complaints *complaints;
	bool has_secret;
};

static struct origin
origin_at(const struct env_file *file, unsigned line)
{
	return (struct origin){ ORIGIN_ENV_FILE, file->path, line };
}

static void
on_wrong(void *arg, unsigned line, const char *why)
{
	struct env_file *file = arg;
	struct origin origin = origin_at(file, line);

	complain(file->complaints, &origin, "%s", why);
}

static const struct setting *
find_name(const char *name)
{
	const struct setting *s;

	for (s = settings_table; s < settings_table + settings_table_len; s++)
		if ((s->names[0] != NULL && strcmp(s->names[0], name) == 0) ||
		    (s->names[1] != NULL && strcmp(s->names[1], name) == 0))
			return s;
	return NULL;
}

/* Most of it usually is the upstream's own. */
static void
on_found(void *arg, unsigned line, const char *name, const char *value)
{
	struct env_file *file = arg;
	const struct setting *s = find_name(name);
	struct reading r = {
		.settings = file->settings,
		.setting = s,
		.origin = origin_at(file, line),
		.complaints = file->complaints,
	};

	if (s == NULL || value[0] == '\0')
		return;
	r.name = strcmp(s->names[0], name) == 0 ? s->names[0] : s->names[1];
	file->has_secret = file->has_secret || setting_is_secret(s, value);
	setting_take_named(&r, value);
}

static const struct dotenv_ops dotenv_ops = {
	.found = on_found,
	.wrong = on_wrong,
};

/* The whole file, NUL-terminated; NULL with errno set. */
static char *
read_file(const char *path, size_t *size, struct stat *st)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		return NULL;
	if (fstat(fd, st) == -1)
		goto done;
	if (!S_ISREG(st->st_mode) || st->st_size > ENV_FILE_MAX) {
		errno = S_ISREG(st->st_mode) ? EFBIG : EINVAL;
		goto done;
	}
	*size = (size_t)st->st_size + 1;
	text = calloc(1, *size);
	if (text == NULL)
		goto done;
	while (
	    len < *size - 1 && (n = read(fd, text + len, *size - 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1 && len < *size - 1) {
		freezero(text, *size);
		text = NULL;
	}
done:
	close(fd);
	return text;
}

static void
check_mode(const struct env_file *file, const struct stat *st)
{
	struct origin origin = origin_at(file, 0);
	unsigned mode = st->st_mode & 07777;

	if ((mode & S_IWOTH) != 0)
		complain(file->complaints, &origin,
		    "writable by others (mode %04o)", mode);
	else if ((mode & S_IROTH) != 0 && file->has_secret)
		complain_mildly(file->complaints, &origin,
		    "readable by others (mode %04o), but holds secrets", mode);
}

void
settings_read_env_file(
    struct settings *settings, const char *path, struct complaints *complaints)
{
	struct env_file file = { path, settings, complaints, false };
	struct origin origin = origin_at(&file, 0);
	struct stat st;
	size_t size = 0;
	char *text = read_file(path, &size, &st);

	if (text == NULL) {
		complain(complaints, &origin, "%s", strerror(errno));
		return;
	}
	/* What stands behind a NUL would be ignored without a word. */
	if (strlen(text) < size - 1)
		complain(complaints, &origin, "contains a NUL");
	dotenv_parse(text, &dotenv_ops, &file);
	check_mode(&file, &st);
	freezero(text, size);
}
