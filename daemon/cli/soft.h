/* `ukey soft …`: virtual UKEYs are made, plugged in and out; without ukeyd. */
#ifndef CLI_SOFT_H
#define CLI_SOFT_H

#include "cli/verbs.h"

int soft_create(const struct args *a);
int soft_insert(const struct args *a);
int soft_remove(const struct args *a);
int soft_list(const struct args *a);
int soft_set_fault(const struct args *a);

#endif
