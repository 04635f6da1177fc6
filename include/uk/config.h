/*
 * Configuration from a table.  The file is one JSON object; every key is in the table, has a
 * default and a line of help, and is printed back by check-config.
 */
#ifndef UK_CONFIG_H
#define UK_CONFIG_H

#include "uk/buf.h"
#include "uk/json.h"

enum uk_ctype {
	UK_C_STR,  /* char *: owned by the struct */
	UK_C_PATH, /* char *: made absolute against the file's folder */
	UK_C_INT,  /* int64_t */
	UK_C_BOOL, /* bool */
};

struct uk_option {
	const char *key;
	enum uk_ctype type;
	const char *dflt; /* as text; NULL: the key must be given */
	int64_t min;
	int64_t max;
	size_t offset;
	const char *help;
};

/*
 * Read the file at path into cfg (zeroed by the caller).  NULL path: defaults only.
 * err->field names the key at fault.
 */
UK_CHECK enum uk_rc uk_config_load(
    const struct uk_option *table, size_t n, const char *path, void *cfg, struct uk_err *err);
void uk_config_fini(const struct uk_option *table, size_t n, void *cfg);

/* Every key with its value and its help, as check-config prints it. */
void uk_config_print(const struct uk_option *table, size_t n, const void *cfg, struct uk_buf *out);

/* A whole regular file of at most max bytes.  UK_E_NOT_FOUND, UK_E_LIMIT, UK_E_INTERNAL. */
UK_CHECK enum uk_rc uk_file_read(
    const char *path, size_t max, struct uk_buf *out, struct uk_err *err);

/* Written beside and renamed over, synced; mode as given. */
UK_CHECK enum uk_rc uk_file_write(
    const char *path, unsigned mode, struct uk_span data, struct uk_err *err);

#endif
