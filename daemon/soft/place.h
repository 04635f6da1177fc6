/*
 * Where virtual UKEYs are, and which of them are plugged in.
 *
 *	ROOT/NAME/            one UKEY, 0700
 *	ROOT/inserted/NAME    is there while it is plugged in
 *
 * ROOT is $UKEY_SOFT_DIR, or ukey/keys in the user's XDG data folder.
 */
#ifndef SOFT_PLACE_H
#define SOFT_PLACE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "skf.h"
#include "uk/buf.h"

#define PLACE_NAME_MAX 32
#define PLACE_INSERTED "inserted"

/* Which insertion it is: another one than before means that the key was out in between. */
struct presence {
	bool in;
	ino_t inode;
	struct timespec since;
};

/* Malloc'd; NULL: no HOME. */
char *place_root(void);

/* Opens ROOT, made if need be together with ROOT/inserted.  -1 with errno. */
int place_open(const char *root);

/* Letters, digits, '.', '_' and '-', no '.' first, and not "inserted". */
bool place_name_ok(const char *name);

bool place_exists(int root, const char *name);
struct presence place_presence(int root, const char *name);
bool presence_same(const struct presence *a, const struct presence *b);

/* SAR_OK when it already is so.  SAR_OBJERR: there is no such UKEY. */
ULONG place_insert(int root, const char *name);
ULONG place_remove(int root, const char *name);

/* The names of all UKEYs, or of those that are in: each with its NUL, sorted. */
ULONG place_list(int root, bool present, struct uk_buf *names);

#endif
