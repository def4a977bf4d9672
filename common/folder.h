#ifndef COMMON_FOLDER_H
#define COMMON_FOLDER_H

/*
 * The folder that a file is in, or would be made in: its real path, links
 * followed, also one in the place of the file that leads to nothing (yet).
 * One that does not exist is named as path does it.  malloc'd; fatal when out
 * of memory.
 */
char *folder_of(const char *path);

#endif
