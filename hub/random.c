#include <stdint.h>
#include <stdlib.h>

#include "hub/random.h"

void
random_hex(char *text, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	arc4random_buf(text, size);
	for (i = 0; i + 1 < size; i++)
		text[i] = digits[(uint8_t)text[i] & 15];
	text[i] = '\0';
}
