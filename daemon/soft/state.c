#include <stdlib.h>
#include <string.h>

#include "soft/state.h"

void
pair_fini(struct pair *p)
{
	memset(p->id, 0, sizeof(p->id));
	uk_buf_fini(&p->public);
	uk_buf_fini(&p->private);
}

bool
pair_there(const struct pair *p)
{
	return p->public.n != 0;
}

void
container_init(struct container *c)
{
	memset(c, 0, sizeof(*c));
	for (int u = 0; u < USE__MAX; u++) {
		uk_buf_init(&c->pairs[u].public, MAX_RSA_MODULUS_LEN + MAX_RSA_EXPONENT_LEN);
		uk_buf_init(&c->pairs[u].private, PRIVATE_MAX);
		uk_buf_init(&c->certificates[u], CERTIFICATE_MAX);
	}
}

static void
container_fini(struct container *c)
{
	for (int u = 0; u < USE__MAX; u++) {
		pair_fini(&c->pairs[u]);
		uk_buf_fini(&c->certificates[u]);
	}
}

void
file_init(struct file *f)
{
	memset(f, 0, sizeof(*f));
	uk_buf_init(&f->data, FILE_SIZE_MAX + SEALED_MORE);
}

struct app *
app_new(void)
{
	return uk_xalloc(sizeof(struct app));
}

void
app_free(struct app **a)
{
	if (a == NULL || *a == NULL)
		return;
	for (size_t i = 0; i < (*a)->n_containers; i++)
		container_fini(&(*a)->containers[i]);
	for (size_t i = 0; i < (*a)->n_files; i++)
		uk_buf_fini(&(*a)->files[i].data);
	free(*a);
	*a = NULL;
}

struct state *
state_new(void)
{
	return uk_xalloc(sizeof(struct state));
}

void
state_free(struct state **s)
{
	if (s == NULL || *s == NULL)
		return;
	for (size_t i = 0; i < (*s)->n_apps; i++)
		app_free(&(*s)->apps[i]);
	explicit_bzero(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

struct app *
state_app(const struct state *s, const char *name)
{
	for (size_t i = 0; i < s->n_apps; i++)
		if (strcmp(s->apps[i]->name, name) == 0)
			return s->apps[i];
	return NULL;
}

struct app *
state_app_by_id(const struct state *s, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < s->n_apps; i++)
		if (memcmp(s->apps[i]->id, id, ID_LEN) == 0)
			return s->apps[i];
	return NULL;
}

struct container *
app_container(struct app *a, const char *name)
{
	for (size_t i = 0; i < a->n_containers; i++)
		if (strcmp(a->containers[i].name, name) == 0)
			return &a->containers[i];
	return NULL;
}

struct container *
app_container_by_id(struct app *a, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < a->n_containers; i++)
		if (memcmp(a->containers[i].id, id, ID_LEN) == 0)
			return &a->containers[i];
	return NULL;
}

struct file *
app_file(struct app *a, const char *name)
{
	for (size_t i = 0; i < a->n_files; i++)
		if (strcmp(a->files[i].name, name) == 0)
			return &a->files[i];
	return NULL;
}

void
state_drop_app(struct state *s, struct app *a)
{
	for (size_t i = 0; i < s->n_apps; i++)
		if (s->apps[i] == a) {
			app_free(&s->apps[i]);
			s->apps[i] = s->apps[--s->n_apps];
			s->apps[s->n_apps] = NULL;
			return;
		}
}

void
app_drop_container(struct app *a, struct container *c)
{
	const size_t i = (size_t)(c - a->containers);

	container_fini(c);
	memmove(c, c + 1, (--a->n_containers - i) * sizeof(*c));
}

void
app_drop_file(struct app *a, struct file *f)
{
	const size_t i = (size_t)(f - a->files);

	uk_buf_fini(&f->data);
	memmove(f, f + 1, (--a->n_files - i) * sizeof(*f));
}

bool
rights_ok(uint32_t rights)
{
	return rights == SECURE_ANYONE_ACCOUNT ||
	       (rights & ~(uint32_t)(SECURE_ADM_ACCOUNT | SECURE_USER_ACCOUNT)) == 0;
}
