/* What every command that touches a CA works with: its settings, keys and database. */
#ifndef APP_BASE_H
#define APP_BASE_H

#include "app/settings.h"
#include "ca/authority.h"
#include "store/crypt.h"
#include "store/store.h"
#include "uk/clock.h"
#include "uk/log.h"
#include "uk/random.h"
#include "uk/secret.h"

struct base {
	struct settings settings;
	struct uk_log log;
	struct uk_clock clock;
	struct uk_random random;
	struct uk_secret *master;
	struct crypt *crypt;
	struct store *store;
	struct authority *authority;
};

/* config: the file.  On failure nothing is left open. */
UK_CHECK enum uk_rc base_open(struct base *b, const char *config, struct uk_err *err);
void base_close(struct base *b);

/* The same with DIR/config.json. */
UK_CHECK enum uk_rc base_open_dir(struct base *b, const char *dir, struct uk_err *err);

#endif
