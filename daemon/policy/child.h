/* Programs at the other end of two pipes, and their end. */
#ifndef POLICY_CHILD_H
#define POLICY_CHILD_H

#include <sys/types.h>

#include "loop/loop.h"

struct children;

struct children *children_new(struct loop *loop);

/* Kills those that are left. */
void children_free(struct children **c);

/* Its standard input and output, both non-blocking.  0, or errno and nothing changed. */
int child_start(const char *program, int *to, int *from, pid_t *pid);

/* Ask it to end, reap it when it has; soon it is killed. */
void child_end(struct children *c, pid_t pid);

#endif
