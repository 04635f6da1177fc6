/* Making UKEYs and applications: what `ukey soft create` and SKF_CreateApplication do. */
#ifndef SOFT_MAKE_H
#define SOFT_MAKE_H

#include "soft/disk.h"

struct app_wanted {
	const char *name;
	const char *pins[2]; /* ADMIN_TYPE, USER_TYPE */
	uint32_t tries[2];
	uint32_t file_rights;
	uint32_t log_n; /* of scrypt; 0: SCRYPT_LOG_N */
};

/*
 * A new UKEY, not plugged in.  SAR_NAMELENERR: not a name; SAR_FILE_ALREADY_EXIST: there is one of
 * this name or serial number.  The folder goes again after any other failure.
 */
ULONG make_ukey(int root, const char *name, const char *label, const char *serial,
    const uint8_t auth_key[AUTH_KEY_LEN]);

/* Adds it, and saves; the disk is locked exclusively.  *out stays the state's. */
ULONG make_app(struct disk *d, struct state *s, const struct app_wanted *w, struct app **out);

/* The same for a UKEY by its name: opens, locks, and closes it. */
ULONG make_app_in(int root, const char *name, const struct app_wanted *w);

#endif
