/*
 * The form on disk: "UKEYSFT1", the length of the body, the body, SHA-256 over all of it.  The
 * body is walked by the same functions for reading and for writing, so the two can't differ.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "soft/state.h"

#define MAGIC     "UKEYSFT1"
#define MAGIC_LEN 8
#define HEAD_LEN  (MAGIC_LEN + 4)

/* Reading: in is what is left.  Writing: out.  After a failure nothing more is touched. */
struct code {
	struct uk_buf *out;
	struct uk_span in;
	bool failed;
};

static void
code_bytes(struct code *c, uint8_t *p, size_t n)
{
	if (c->out != NULL) {
		uk_buf_put(c->out, uk_span(p, n));
		c->failed |= uk_buf_failed(c->out);
	} else if (c->failed || n > c->in.n) {
		c->failed = true;
	} else {
		memcpy(p, c->in.p, n);
		c->in = uk_span(c->in.p + n, c->in.n - n);
	}
}

static void
code_u32(struct code *c, uint32_t *v, uint32_t max)
{
	uint8_t b[4] = { (uint8_t)(*v >> 24), (uint8_t)(*v >> 16), (uint8_t)(*v >> 8),
		(uint8_t)*v };

	code_bytes(c, b, sizeof(b));
	if (c->failed)
		return;
	*v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	if (*v > max)
		c->failed = true;
}

static size_t
code_count(struct code *c, size_t n, size_t max)
{
	uint32_t v = (uint32_t)n;

	code_u32(c, &v, (uint32_t)max);
	return c->failed ? 0 : v;
}

/* A name: no NUL in it; may be empty only where the caller allows. */
static void
code_text(struct code *c, char *s, size_t size)
{
	const size_t n = code_count(c, c->out != NULL ? strlen(s) : 0, size - 1);

	code_bytes(c, (uint8_t *)s, n);
	if (c->out != NULL || c->failed)
		return;
	s[n] = '\0';
	if (strlen(s) != n)
		c->failed = true;
}

static void
code_buf(struct code *c, struct uk_buf *b)
{
	const size_t n = code_count(c, b->n, b->max);
	uint8_t *p;

	if (c->out != NULL) {
		code_bytes(c, b->p, n);
	} else if (!c->failed && n != 0 && n <= c->in.n && (p = uk_buf_room(b, n)) != NULL) {
		code_bytes(c, p, n);
		uk_buf_add(b, n);
	} else if (n != 0) {
		c->failed = true;
	}
}

static void
code_pin(struct code *c, struct pin *p)
{
	code_bytes(c, p->salt, sizeof(p->salt));
	code_u32(c, &p->log_n, SCRYPT_LOG_N_MAX);
	code_u32(c, &p->tries, PIN_TRIES_MAX);
	code_u32(c, &p->initial, 1);
	code_bytes(c, p->wrapped, sizeof(p->wrapped));
	c->failed |= p->log_n < SCRYPT_LOG_N_MIN || p->tries == 0;
}

static bool
public_ok(uint32_t type, const struct pair *p)
{
	const size_t n = p->public.n;

	if (n == 0 || p->private.n == 0)
		return n == 0 && p->private.n == 0;
	if (type == CONTAINER_ECC)
		return n == SM2_PUBLIC_LEN;
	return type == CONTAINER_RSA && (n == 1024 / 8 + 4 || n == 2048 / 8 + 4);
}

static void
code_container(struct code *c, struct container *con)
{
	code_bytes(c, con->id, sizeof(con->id));
	code_text(c, con->name, sizeof(con->name));
	code_u32(c, &con->type, CONTAINER_ECC);
	for (int u = 0; u < USE__MAX; u++) {
		code_bytes(c, con->pairs[u].id, sizeof(con->pairs[u].id));
		code_buf(c, &con->pairs[u].public);
		code_buf(c, &con->pairs[u].private);
		code_buf(c, &con->certificates[u]);
		c->failed |= !public_ok(con->type, &con->pairs[u]);
	}
	c->failed |= con->name[0] == '\0';
}

static void
code_protected(struct code *c, struct app *a)
{
	size_t n;

	code_bytes(c, a->id, sizeof(a->id));
	code_text(c, a->name, sizeof(a->name));
	code_u32(c, &a->slot, APPS_MAX - 1);
	code_u32(c, &a->file_rights, SECURE_ANYONE_ACCOUNT);
	code_pin(c, &a->pins[ADMIN_TYPE]);
	code_pin(c, &a->pins[USER_TYPE]);
	n = code_count(c, a->n_containers, CONTAINERS_MAX);
	for (size_t i = 0; i < n && !c->failed; i++) {
		if (c->out == NULL)
			container_init(&a->containers[a->n_containers++]);
		code_container(c, &a->containers[i]);
	}
	c->failed |= a->name[0] == '\0' || !rights_ok(a->file_rights);
}

static void
code_file(struct code *c, struct file *f)
{
	uint32_t sealed = f->sealed;

	code_text(c, f->name, sizeof(f->name));
	code_u32(c, &f->size, FILE_SIZE_MAX);
	code_u32(c, &f->read, SECURE_ANYONE_ACCOUNT);
	code_u32(c, &f->write, SECURE_ANYONE_ACCOUNT);
	code_u32(c, &sealed, 1);
	code_buf(c, &f->data);
	f->sealed = sealed != 0;
	/* Only a log-in opens what is sealed. */
	c->failed |=
	    f->sealed && (f->read == SECURE_ANYONE_ACCOUNT || f->write == SECURE_ANYONE_ACCOUNT);
	c->failed |= f->name[0] == '\0' || !rights_ok(f->read) || !rights_ok(f->write) ||
		     f->data.n != f->size + (f->sealed ? (size_t)SEALED_MORE : 0);
}

static void
code_app(struct code *c, struct app *a)
{
	size_t n;

	code_protected(c, a);
	code_bytes(c, a->mac, sizeof(a->mac));
	n = code_count(c, a->n_files, FILES_MAX);
	for (size_t i = 0; i < n && !c->failed; i++) {
		if (c->out == NULL)
			file_init(&a->files[a->n_files++]);
		code_file(c, &a->files[i]);
	}
}

static void
code_state(struct code *c, struct state *s)
{
	size_t n;

	code_text(c, s->label, sizeof(s->label));
	code_text(c, s->serial, sizeof(s->serial));
	code_bytes(c, s->auth_key, sizeof(s->auth_key));
	n = code_count(c, s->n_apps, APPS_MAX);
	for (size_t i = 0; i < n && !c->failed; i++) {
		if (c->out == NULL)
			s->apps[s->n_apps++] = app_new();
		code_app(c, s->apps[i]);
	}
}

/* Names and slots are each other's only. */
static bool
app_unique(const struct state *s, size_t i)
{
	struct app *a = s->apps[i];

	for (size_t k = 0; k < i; k++)
		if (strcmp(a->name, s->apps[k]->name) == 0 || a->slot == s->apps[k]->slot)
			return false;
	for (size_t k = 0; k < a->n_containers; k++)
		if (app_container(a, a->containers[k].name) != &a->containers[k])
			return false;
	for (size_t k = 0; k < a->n_files; k++)
		if (app_file(a, a->files[k].name) != &a->files[k])
			return false;
	return true;
}

static bool
body_read(struct uk_span body, struct state *s)
{
	struct code c = { .in = body };

	code_state(&c, s);
	if (c.failed || c.in.n != 0)
		return false;
	for (size_t i = 0; i < s->n_apps; i++)
		if (!app_unique(s, i))
			return false;
	return true;
}

static size_t
length_at(const uint8_t *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

ULONG
state_read(struct uk_span in, struct state **out)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	struct state *s;
	size_t n;

	if (in.n > STATE_MAX || in.n < HEAD_LEN + sizeof(sum) ||
	    memcmp(in.p, MAGIC, MAGIC_LEN) != 0)
		return SAR_FILEERR;
	n = in.n - sizeof(sum);
	if (length_at(in.p + MAGIC_LEN) != n - HEAD_LEN || SHA256(in.p, n, sum) == NULL ||
	    memcmp(sum, in.p + n, sizeof(sum)) != 0)
		return SAR_FILEERR;
	s = state_new();
	if (!body_read(uk_span(in.p + HEAD_LEN, n - HEAD_LEN), s)) {
		state_free(&s);
		return SAR_FILEERR;
	}
	*out = s;
	return SAR_OK;
}

ULONG
state_write(struct state *s, struct uk_buf *out)
{
	struct code c = { .out = out };
	uint8_t sum[SHA256_DIGEST_LENGTH];
	size_t n;

	uk_buf_init(out, STATE_MAX);
	uk_buf_put_str(out, MAGIC);
	uk_buf_put_u32(out, 0);
	code_state(&c, s);
	if (c.failed || uk_buf_failed(out))
		return uk_buf_failed(out) ? SAR_NO_ROOM : SAR_FAIL;
	n = out->n - HEAD_LEN;
	for (int i = 0; i < 4; i++)
		out->p[MAGIC_LEN + i] = (uint8_t)(n >> (24 - 8 * i));
	(void)SHA256(out->p, out->n, sum);
	uk_buf_put(out, uk_span(sum, sizeof(sum)));
	return uk_buf_failed(out) ? SAR_NO_ROOM : SAR_OK;
}

ULONG
app_put_protected(struct app *a, struct uk_buf *out)
{
	struct code c = { .out = out };

	code_protected(&c, a);
	return c.failed ? SAR_NO_ROOM : SAR_OK;
}
