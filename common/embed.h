#ifndef COMMON_EMBED_H
#define COMMON_EMBED_H

/*
 * Make a file part of the program as it is: name[] are its bytes up to
 * name_end, where a NUL follows.  The assembler looks the file up from where
 * the compiler runs, and in its include path.
 */
#define EMBED(name, file)                                                   \
	extern const char name[], name##_end[];                             \
	__asm__(".section .rodata\n" #name ": .incbin \"" file "\"\n" #name \
		"_end: .byte 0\n.previous\n")

#endif
