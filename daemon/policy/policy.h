/*
 * The administrator's policy: every *.json of a folder, in the order of their names.  A later file
 * overrides single values and adds to lists.  A file that does not read stops the daemon: a policy
 * half understood allows what it was written to forbid.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uk/log.h"
#include "uk/rc.h"
#include "uk/ticket.h"

#define POLICY_DIR       "/etc/ukey/policy.d"
#define POLICY_IDLE_LOCK 900

struct policy_list {
	char **v;
	size_t n;
};

struct policy_module {
	char *path;
	char *kind; /* "pkcs11", "skf" */
};

struct policy {
	bool development;  /* http://localhost pages are sites too */
	bool production;   /* this machine may prepare tokens */
	bool session;      /* one consent lasts for a while; otherwise each use asks */
	int64_t idle_lock; /* seconds without a use, after which a token is locked; 0: never */
	char *pinentry;    /* path; NULL: the system's */
	char *clock_file;  /* seconds by which a test's time is ahead; only with `development` */
	struct policy_list allow;
	struct policy_list block;
	struct policy_module *modules; /* what drives the keys */
	size_t n_modules;
	bool hold_pin;      /* their helpers may keep a PIN until log-out */
	bool known_modules; /* those of known makers count, too (policy_find_modules()) */
	struct policy_list extensions; /* those that may say a site's name, the built-in ones too */
	struct uk_jwk **trusted;       /* whose tickets are believed */
	size_t n_trusted;
};

/* A folder that is not there is an empty policy.  err->field names the member at fault. */
UK_CHECK enum uk_rc policy_load(const char *dir, struct policy **out, struct uk_err *err);
void policy_free(struct policy **p);

/*
 * Add the modules of known makers that are here: those of `file` that exist, belong to root, and
 * that nobody else can write to.  Without the file, or where the policy says so, none are added.
 */
UK_CHECK enum uk_rc policy_find_modules(
    struct policy *p, const char *file, const struct uk_log *log, struct uk_err *err);

bool policy_allows(const struct policy *p, const char *origin); /* without asking the user */
bool policy_blocks(const struct policy *p, const char *origin);
bool policy_extension(const struct policy *p, const char *id);

#endif
