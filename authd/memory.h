#ifndef AUTHD_MEMORY_H
#define AUTHD_MEMORY_H

/*
 * What libraries allocate is wiped before it is free for others: tokens pass
 * through curl's and OpenSSL's hands.  Before any of their functions is
 * called, or it is fatal.
 */
void memory_start(void);

#endif
