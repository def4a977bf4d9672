#ifndef HUB_RANDOM_H
#define HUB_RANDOM_H

#include <stddef.h>

/* Fill text with size - 1 random hexadecimal digits and a NUL. */
void random_hex(char *text, size_t size);

#endif
