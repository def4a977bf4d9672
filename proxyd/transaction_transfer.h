#ifndef PROXYD_TRANSACTION_TRANSFER_H
#define PROXYD_TRANSACTION_TRANSFER_H

struct transaction;

/*
 * Ask the upstream, for the request or for where it was redirected to: its
 * answer, or what is wrong with it, ends the transaction, perhaps at once.
 */
void transaction_transfer(struct transaction *);

#endif
