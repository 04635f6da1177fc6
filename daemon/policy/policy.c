#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/origin.h"
#include "policy/policy.h"
#include "uk/config.h"
#include "uk/json.h"

#define FILE_MAX      (64u * 1024u)
#define LIST_MAX      64
#define PATH_LEN      4095
#define IDLE_LOCK_MAX 86400

struct file {
	bool development;
	bool production;
	json_t *sites;
	json_t *tickets;
	json_t *modules;
	json_t *extensions;
	int64_t idle_lock;
	bool hold_pin;
	bool known_modules;
	const char *pinentry;
	const char *consent;
	const char *clock_file;
};

struct lists {
	json_t *allow;
	json_t *block;
	json_t *trusted;
};

static bool
consent_valid(const char *s)
{
	return strcmp(s, "always") == 0 || strcmp(s, "session") == 0;
}

static bool
path_valid(const char *s)
{
	return s[0] == '/';
}

static const struct uk_field file_fields[] = {
	{ "development", UK_F_BOOL, 0, 0, 0, offsetof(struct file, development), NULL },
	{ "production", UK_F_BOOL, 0, 0, 0, offsetof(struct file, production), NULL },
	{ "sites", UK_F_JSON, 0, 0, 0, offsetof(struct file, sites), NULL },
	{ "tickets", UK_F_JSON, 0, 0, 0, offsetof(struct file, tickets), NULL },
	{ "modules", UK_F_LIST, 0, 0, LIST_MAX, offsetof(struct file, modules), NULL },
	{ "holdPin", UK_F_BOOL, 0, 0, 0, offsetof(struct file, hold_pin), NULL },
	{ "knownModules", UK_F_BOOL, 0, 0, 0, offsetof(struct file, known_modules), NULL },
	{ "extensions", UK_F_LIST, 0, 0, LIST_MAX, offsetof(struct file, extensions), NULL },
	{ "idleLock", UK_F_INT, 0, 0, IDLE_LOCK_MAX, offsetof(struct file, idle_lock), NULL },
	{ "pinentry", UK_F_STR, 0, 1, PATH_LEN, offsetof(struct file, pinentry), path_valid },
	{ "clockFile", UK_F_STR, 0, 1, PATH_LEN, offsetof(struct file, clock_file), path_valid },
	{ "consent", UK_F_STR, 0, 1, 16, offsetof(struct file, consent), consent_valid },
};

static const struct uk_field site_fields[] = {
	{ "allow", UK_F_LIST, 0, 0, LIST_MAX, offsetof(struct lists, allow), NULL },
	{ "block", UK_F_LIST, 0, 0, LIST_MAX, offsetof(struct lists, block), NULL },
};

static const struct uk_field ticket_fields[] = {
	{ "trusted", UK_F_LIST, 0, 0, LIST_MAX, offsetof(struct lists, trusted), NULL },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
site_valid(const char *s)
{
	return origin_valid(s, true);
}

/* Chromium's 32 letters, or Firefox's name@domain or {uuid}. */
static bool
extension_valid(const char *s)
{
	const size_t n = strlen(s);

	return n >= 1 && n <= EXTENSION_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@{}") ==
		   n;
}

static enum uk_rc
list_add(struct policy_list *l, const json_t *from, const char *field, bool (*valid)(const char *),
    struct uk_err *err)
{
	const size_t n = json_array_size(from);
	char **v;

	if (n == 0)
		return UK_OK;
	if (l->n + n > LIST_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, field, 0);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(from, i));

		if (s == NULL || strlen(s) > PATH_LEN || !valid(s))
			return uk_fail_field(err, field, NULL);
	}
	v = uk_xalloc((l->n + n) * sizeof(*v));
	if (l->n != 0)
		memcpy(v, l->v, l->n * sizeof(*v));
	free(l->v);
	l->v = v;
	for (size_t i = 0; i < n; i++)
		l->v[l->n++] = uk_xstrdup(json_string_value(json_array_get(from, i)));
	return UK_OK;
}

static bool
kind_valid(const char *s)
{
	return strcmp(s, "pkcs11") == 0 || strcmp(s, "skf") == 0;
}

struct module_entry {
	const char *path;
	const char *kind;
};

static const struct uk_field module_fields[] = {
	{ "path", UK_F_STR, UK_F_REQUIRED, 1, PATH_LEN, offsetof(struct module_entry, path),
	    path_valid },
	{ "kind", UK_F_STR, UK_F_REQUIRED, 1, 16, offsetof(struct module_entry, kind), kind_valid },
};

/* A path alone is a PKCS#11 module's. */
static enum uk_rc
module_read(const json_t *from, struct module_entry *m, struct uk_err *err)
{
	const char *path = json_string_value(from);

	if (path == NULL)
		return uk_fields_read(module_fields, COUNT(module_fields), from, m, err);
	if (strlen(path) > PATH_LEN || !path_valid(path))
		return uk_fail_field(err, "modules", NULL);
	*m = (struct module_entry){ .path = path, .kind = "pkcs11" };
	return UK_OK;
}

static enum uk_rc
modules_add(struct policy *p, const json_t *from, struct uk_err *err)
{
	const size_t n = json_array_size(from);
	struct policy_module *v;

	if (n == 0)
		return UK_OK;
	if (p->n_modules + n > LIST_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "modules", 0);
	v = uk_xalloc((p->n_modules + n) * sizeof(*v));
	if (p->n_modules != 0)
		memcpy(v, p->modules, p->n_modules * sizeof(*v));
	free(p->modules);
	p->modules = v;
	for (size_t i = 0; i < n; i++) {
		struct module_entry m = { 0 };

		if (module_read(json_array_get(from, i), &m, err) != UK_OK)
			return UK_E_INPUT;
		v[p->n_modules++] = (struct policy_module){ .path = uk_xstrdup(m.path),
			.kind = uk_xstrdup(m.kind) };
	}
	return UK_OK;
}

static enum uk_rc
trusted_add(struct policy *p, const json_t *from, struct uk_err *err)
{
	const size_t n = json_array_size(from);
	struct uk_jwk **v;

	if (n == 0)
		return UK_OK;
	if (p->n_trusted + n > LIST_MAX)
		return uk_fail(err, UK_E_LIMIT, NULL, "tickets.trusted", 0);
	v = uk_xalloc((p->n_trusted + n) * sizeof(struct uk_jwk *));
	if (p->n_trusted != 0)
		memcpy(v, p->trusted, p->n_trusted * sizeof(struct uk_jwk *));
	free(p->trusted);
	p->trusted = v;
	for (size_t i = 0; i < n; i++) {
		if (uk_jwk_from_json(json_array_get(from, i), &v[p->n_trusted], err) != UK_OK)
			return uk_fail_field(err, "tickets.trusted", NULL);
		p->n_trusted++;
	}
	return UK_OK;
}

static enum uk_rc
apply(struct policy *p, const struct file *f, const json_t *object, struct uk_err *err)
{
	struct lists l = { 0 };
	enum uk_rc rc;

	if ((rc = uk_fields_read(site_fields, COUNT(site_fields), f->sites, &l, err)) != UK_OK ||
	    (rc = uk_fields_read(ticket_fields, COUNT(ticket_fields), f->tickets, &l, err)) !=
		UK_OK ||
	    (rc = list_add(&p->allow, l.allow, "sites.allow", site_valid, err)) != UK_OK ||
	    (rc = list_add(&p->block, l.block, "sites.block", site_valid, err)) != UK_OK ||
	    (rc = modules_add(p, f->modules, err)) != UK_OK ||
	    (rc = list_add(&p->extensions, f->extensions, "extensions", extension_valid, err)) !=
		UK_OK ||
	    (rc = trusted_add(p, l.trusted, err)) != UK_OK)
		return rc;
	if (json_object_get(object, "development") != NULL)
		p->development = f->development;
	if (json_object_get(object, "production") != NULL)
		p->production = f->production;
	if (json_object_get(object, "holdPin") != NULL)
		p->hold_pin = f->hold_pin;
	if (json_object_get(object, "knownModules") != NULL)
		p->known_modules = f->known_modules;
	if (json_object_get(object, "idleLock") != NULL)
		p->idle_lock = f->idle_lock;
	if (f->consent != NULL)
		p->session = strcmp(f->consent, "session") == 0;
	if (f->pinentry != NULL) {
		free(p->pinentry);
		p->pinentry = uk_xstrdup(f->pinentry);
	}
	if (f->clock_file != NULL) {
		free(p->clock_file);
		p->clock_file = uk_xstrdup(f->clock_file);
	}
	return UK_OK;
}

static enum uk_rc
load_file(struct policy *p, const char *dir, const char *name, struct uk_err *err)
{
	struct uk_buf path, text;
	struct file f = { 0 };
	json_t *object = NULL;
	enum uk_rc rc;

	uk_buf_init(&path, PATH_LEN);
	uk_buf_init(&text, FILE_MAX + 4096);
	uk_buf_printf(&path, "%s/%s", dir, name);
	if (uk_buf_str(&path) == NULL) {
		rc = uk_fail(err, UK_E_LIMIT, NULL, "policy", 0);
		goto out;
	}
	if ((rc = uk_file_read(uk_buf_str(&path), FILE_MAX, &text, err)) != UK_OK ||
	    (rc = uk_json_parse(uk_buf_span(&text), FILE_MAX, &object, err)) != UK_OK ||
	    (rc = uk_fields_read(file_fields, COUNT(file_fields), object, &f, err)) != UK_OK)
		goto out;
	rc = apply(p, &f, object, err);
out:
	json_decref(object);
	uk_buf_fini(&text);
	uk_buf_fini(&path);
	return rc;
}

static int
is_policy(const struct dirent *e)
{
	const size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

static enum uk_rc
add_built_in(struct policy *p, struct uk_err *err)
{
	static const char *const ids[] = { EXTENSION_IDS };
	json_t *list = json_array();
	enum uk_rc rc;

	for (size_t i = 0; i < COUNT(ids); i++)
		json_array_append_new(list, json_string(ids[i]));
	rc = list_add(&p->extensions, list, "extensions", extension_valid, err);
	json_decref(list);
	return rc;
}

enum uk_rc
policy_load(const char *dir, struct policy **out, struct uk_err *err)
{
	struct policy *p = uk_xalloc(sizeof(*p));
	struct dirent **names = NULL;
	enum uk_rc rc = add_built_in(p, err);
	int n;

	p->idle_lock = POLICY_IDLE_LOCK;
	p->known_modules = true;
	n = scandir(dir, &names, is_policy, alphasort);
	if (rc == UK_OK && n < 0 && errno != ENOENT)
		rc = uk_fail(err, UK_E_DENIED, "policy-unreadable", "scandir", errno);
	for (int i = 0; i < n; i++) {
		if (rc == UK_OK)
			rc = load_file(p, dir, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	if (rc == UK_OK && p->clock_file != NULL && !p->development)
		rc = uk_fail_field(err, "clockFile", "needs-development");
	if (rc != UK_OK)
		policy_free(&p);
	else
		*out = p;
	return rc;
}

static const struct uk_field known_fields[] = {
	{ "modules", UK_F_LIST, UK_F_REQUIRED, 0, LIST_MAX, offsetof(struct file, modules), NULL },
};

/* Is it here, and as safe from other users as our own programs? */
static bool
is_safe(const char *path, const struct uk_log *log)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode) && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	uk_log(log, UK_LOG_WARN, "module.unsafe", UK_LS("module", path));
	return false;
}

static bool
is_named(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->n_modules; i++)
		if (strcmp(p->modules[i].path, path) == 0)
			return true;
	return false;
}

static enum uk_rc
add_known(struct policy *p, const json_t *list, const struct uk_log *log, struct uk_err *err)
{
	json_t *here = json_array();
	enum uk_rc rc = UK_OK;

	for (size_t i = 0; rc == UK_OK && i < json_array_size(list); i++) {
		json_t *from = json_array_get(list, i);
		struct module_entry m = { 0 };

		rc = module_read(from, &m, err);
		if (rc == UK_OK && is_safe(m.path, log) && !is_named(p, m.path))
			json_array_append(here, from);
	}
	if (rc == UK_OK)
		rc = modules_add(p, here, err);
	json_decref(here);
	return rc;
}

enum uk_rc
policy_find_modules(
    struct policy *p, const char *file, const struct uk_log *log, struct uk_err *err)
{
	struct file f = { 0 };
	json_t *object = NULL;
	struct uk_buf text;
	enum uk_rc rc;

	if (!p->known_modules)
		return UK_OK;
	uk_buf_init(&text, FILE_MAX + 4096);
	if ((rc = uk_file_read(file, FILE_MAX, &text, err)) == UK_OK &&
	    (rc = uk_json_parse(uk_buf_span(&text), FILE_MAX, &object, err)) == UK_OK &&
	    (rc = uk_fields_read(known_fields, COUNT(known_fields), object, &f, err)) == UK_OK)
		rc = add_known(p, f.modules, log, err);
	json_decref(object);
	uk_buf_fini(&text);
	return rc == UK_E_NOT_FOUND ? UK_OK : rc;
}

static void
list_fini(struct policy_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

void
policy_free(struct policy **p)
{
	if (p == NULL || *p == NULL)
		return;
	list_fini(&(*p)->allow);
	list_fini(&(*p)->block);
	for (size_t i = 0; i < (*p)->n_modules; i++) {
		free((*p)->modules[i].path);
		free((*p)->modules[i].kind);
	}
	free((*p)->modules);
	list_fini(&(*p)->extensions);
	for (size_t i = 0; i < (*p)->n_trusted; i++)
		uk_jwk_free(&(*p)->trusted[i]);
	free((*p)->trusted);
	free((*p)->pinentry);
	free((*p)->clock_file);
	free(*p);
	*p = NULL;
}

static bool
list_has(const struct policy_list *l, const char *s)
{
	for (size_t i = 0; s != NULL && i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

bool
policy_allows(const struct policy *p, const char *origin)
{
	return list_has(&p->allow, origin) && !list_has(&p->block, origin);
}

bool
policy_blocks(const struct policy *p, const char *origin)
{
	return list_has(&p->block, origin);
}

bool
policy_extension(const struct policy *p, const char *id)
{
	return list_has(&p->extensions, id);
}
