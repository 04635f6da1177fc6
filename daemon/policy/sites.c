#include <stdlib.h>
#include <string.h>

#include "policy/origin.h"
#include "policy/paths.h"
#include "policy/sites.h"
#include "uk/config.h"

#define FILE_MAX (1024u * 1024u)

struct grant {
	char id[SITES_FINGERPRINT_LEN + 1];
	int64_t expires;
};

struct site {
	char origin[ORIGIN_MAX + 1];
	int64_t granted;
	int64_t expires;
	struct grant certificates[SITES_CERTIFICATES];
	size_t n;
};

struct sites {
	const struct uk_clock *clock;
	char *path;
	struct site *v; /* SITES_MAX of them, oldest first */
	size_t n;
	bool put_aside;
};

struct site_row {
	const char *origin;
	int64_t granted;
	int64_t expires;
	json_t *certificates;
};

struct grant_row {
	const char *id;
	int64_t expires;
};

static bool
known_origin(const char *s)
{
	return origin_valid(s, true);
}

static const struct uk_field site_fields[] = {
	{ "origin", UK_F_STR, UK_F_REQUIRED, 1, ORIGIN_MAX, offsetof(struct site_row, origin),
	    known_origin },
	{ "granted", UK_F_INT, UK_F_REQUIRED, 0, INT64_MAX, offsetof(struct site_row, granted),
	    NULL },
	{ "expires", UK_F_INT, UK_F_REQUIRED, 0, INT64_MAX, offsetof(struct site_row, expires),
	    NULL },
	{ "certificates", UK_F_LIST, UK_F_REQUIRED, 0, SITES_CERTIFICATES,
	    offsetof(struct site_row, certificates), NULL },
};

static const struct uk_field grant_fields[] = {
	{ "id", UK_F_STR, UK_F_REQUIRED, SITES_FINGERPRINT_LEN, SITES_FINGERPRINT_LEN,
	    offsetof(struct grant_row, id), NULL },
	{ "expires", UK_F_INT, UK_F_REQUIRED, 0, INT64_MAX, offsetof(struct grant_row, expires),
	    NULL },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct site *
find(const struct sites *s, const char *origin)
{
	for (size_t i = 0; origin != NULL && i < s->n; i++)
		if (strcmp(s->v[i].origin, origin) == 0)
			return &s->v[i];
	return NULL;
}

static void
drop(struct sites *s, struct site *site)
{
	const size_t i = (size_t)(site - s->v);

	memmove(site, site + 1, (s->n - i - 1) * sizeof(*site));
	s->n--;
}

static void
drop_grant(struct site *site, size_t i)
{
	memmove(&site->certificates[i], &site->certificates[i + 1],
	    (site->n - i - 1) * sizeof(struct grant));
	site->n--;
}

static struct site *
add(struct sites *s, const char *origin)
{
	struct site *site;

	if (s->n == SITES_MAX)
		drop(s, &s->v[0]);
	site = &s->v[s->n++];
	memset(site, 0, sizeof(*site));
	memcpy(site->origin, origin, strlen(origin) + 1);
	return site;
}

static void
add_grant(struct site *site, const char *id, int64_t expires)
{
	struct grant *g;

	for (size_t i = 0; i < site->n; i++)
		if (strcmp(site->certificates[i].id, id) == 0) {
			drop_grant(site, i);
			break;
		}
	if (site->n == SITES_CERTIFICATES)
		drop_grant(site, 0);
	g = &site->certificates[site->n++];
	memcpy(g->id, id, SITES_FINGERPRINT_LEN + 1);
	g->expires = expires;
}

static enum uk_rc
load_site(struct sites *s, const json_t *object, struct uk_err *err)
{
	struct site_row r = { 0 };
	struct site *site;
	enum uk_rc rc;

	rc = uk_fields_read(site_fields, COUNT(site_fields), object, &r, err);
	if (rc != UK_OK)
		return rc;
	if (find(s, r.origin) != NULL)
		return uk_fail_field(err, "origin", NULL);
	site = add(s, r.origin);
	site->granted = r.granted;
	site->expires = r.expires;
	for (size_t i = 0; i < json_array_size(r.certificates); i++) {
		struct grant_row g = { 0 };

		rc = uk_fields_read(
		    grant_fields, COUNT(grant_fields), json_array_get(r.certificates, i), &g, err);
		if (rc != UK_OK)
			return rc;
		add_grant(site, g.id, g.expires);
	}
	return UK_OK;
}

static enum uk_rc
load(struct sites *s, struct uk_err *err)
{
	json_t *list = NULL;
	struct uk_buf text;
	enum uk_rc rc;

	uk_buf_init(&text, FILE_MAX + 4096);
	rc = uk_file_read(s->path, FILE_MAX, &text, err);
	if (rc == UK_E_NOT_FOUND) {
		rc = UK_OK;
		goto out;
	}
	if (rc == UK_OK)
		rc = uk_json_parse(uk_buf_span(&text), FILE_MAX, &list, err);
	if (rc == UK_OK && (!json_is_array(list) || json_array_size(list) > SITES_MAX))
		rc = uk_fail(err, UK_E_INPUT, "sites-malformed", "sites", 0);
	for (size_t i = 0; rc == UK_OK && i < json_array_size(list); i++)
		rc = load_site(s, json_array_get(list, i), err);
out:
	json_decref(list);
	uk_buf_fini(&text);
	return rc;
}

enum uk_rc
sites_open(const char *path, const struct uk_clock *clock, struct sites **out, struct uk_err *err)
{
	struct sites *s = uk_xalloc(sizeof(*s));
	enum uk_rc rc;

	s->clock = clock;
	s->path = uk_xstrdup(path);
	s->v = uk_xalloc(SITES_MAX * sizeof(*s->v));
	rc = load(s, err);
	if (rc == UK_E_INPUT || rc == UK_E_LIMIT) {
		s->n = 0;
		s->put_aside = true;
		rc = path_put_aside(path, err);
	}
	if (rc != UK_OK)
		sites_close(&s);
	else
		*out = s;
	return rc;
}

void
sites_close(struct sites **s)
{
	if (s == NULL || *s == NULL)
		return;
	free((*s)->path);
	free((*s)->v);
	free(*s);
	*s = NULL;
}

bool
sites_put_aside(const struct sites *s)
{
	return s->put_aside;
}

bool
sites_allowed(const struct sites *s, const char *origin)
{
	const struct site *site = find(s, origin);

	return site != NULL && uk_now(s->clock) < site->expires;
}

bool
sites_certificate(const struct sites *s, const char *origin, const char *fingerprint)
{
	const struct site *site = find(s, origin);

	if (fingerprint == NULL || !sites_allowed(s, origin))
		return false;
	for (size_t i = 0; i < site->n; i++)
		if (strcmp(site->certificates[i].id, fingerprint) == 0)
			return uk_now(s->clock) < site->certificates[i].expires;
	return false;
}

static json_t *
site_json(const struct site *site, bool bare)
{
	json_t *certificates = json_array();

	for (size_t i = 0; i < site->n; i++)
		json_array_append_new(
		    certificates, bare ? json_string(site->certificates[i].id)
				       : json_pack("{s:s, s:I}", "id", site->certificates[i].id,
					     "expires", (json_int_t)site->certificates[i].expires));
	return json_pack("{s:s, s:I, s:I, s:o}", "origin", site->origin, "granted",
	    (json_int_t)site->granted, "expires", (json_int_t)site->expires, "certificates",
	    certificates);
}

static json_t *
sites_json(const struct sites *s, bool bare)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, site_json(&s->v[i], bare));
	return list;
}

static enum uk_rc
save(const struct sites *s, struct uk_err *err)
{
	json_t *list = sites_json(s, false);
	struct uk_buf text;
	enum uk_rc rc;

	uk_buf_init(&text, FILE_MAX);
	rc = uk_json_put(&text, list);
	if (rc == UK_OK)
		rc = uk_file_write(s->path, 0600, uk_buf_span(&text), err);
	else
		rc = uk_fail(err, rc, NULL, "sites", 0);
	uk_buf_fini(&text);
	json_decref(list);
	return rc;
}

static void
drop_expired(struct sites *s, int64_t now)
{
	for (size_t i = s->n; i > 0; i--)
		if (now >= s->v[i - 1].expires)
			drop(s, &s->v[i - 1]);
}

/* The site at the end, where the youngest is. */
static struct site *
renew(struct sites *s, const char *origin)
{
	struct site *site = find(s, origin), copy;

	if (site == NULL)
		return add(s, origin);
	copy = *site;
	drop(s, site);
	s->v[s->n] = copy;
	return &s->v[s->n++];
}

enum uk_rc
sites_grant(struct sites *s, const char *origin, const char *const *fingerprints, size_t n,
    struct uk_err *err)
{
	const int64_t now = uk_now(s->clock);
	struct site *site;

	if (!origin_valid(origin, true))
		return uk_fail_field(err, "origin", NULL);
	drop_expired(s, now);
	site = renew(s, origin);
	site->granted = now;
	site->expires = now + SITES_LIFE;
	for (size_t i = 0; i < n; i++)
		if (strlen(fingerprints[i]) == SITES_FINGERPRINT_LEN)
			add_grant(site, fingerprints[i], now + SITES_LIFE);
	return save(s, err);
}

enum uk_rc
sites_revoke(struct sites *s, const char *origin, struct uk_err *err)
{
	struct site *site = find(s, origin);

	if (site == NULL)
		return uk_fail(err, UK_E_NOT_FOUND, "site-not-found", "sites", 0);
	drop(s, site);
	return save(s, err);
}

json_t *
sites_list(const struct sites *s)
{
	return sites_json(s, true);
}
