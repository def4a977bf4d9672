#ifndef TETHERD_SETTINGS_H
#define TETHERD_SETTINGS_H

struct conf;

/*
 * Settings from the environment and from a .env file (design: the file
 * first, the environment on top).
 */

/*
 * Remember the environment's settings and take the secrets out of it, so
 * that neither /proc nor a child shows them.  Once, first of all.
 */
void settings_capture(void);

/*
 * Read all settings anew, with the .env file at env_file unless it is NULL.
 * Returns NULL after logging one line that names what is wrong.
 */
struct conf *settings_read(const char *env_file);

#endif
