/* Where a user's things are (XDG Base Directory Specification). */
#ifndef POLICY_PATHS_H
#define POLICY_PATHS_H

#include "uk/rc.h"

/* Malloc'd; NULL: no HOME.  $XDG_STATE_HOME/ukey/NAME and $XDG_RUNTIME_DIR/ukey/NAME. */
char *path_state(const char *name);
char *path_runtime(const char *name);

/* The folder that holds path, and those above it; 0700. */
UK_CHECK enum uk_rc path_make_folder(const char *path, struct uk_err *err);

/* Move a file that does not read to PATH.bad, for whoever wants to know; none is no error. */
UK_CHECK enum uk_rc path_put_aside(const char *path, struct uk_err *err);

#endif
