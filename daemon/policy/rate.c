#include <stdlib.h>
#include <string.h>

#include "policy/origin.h"
#include "policy/rate.h"
#include "uk/buf.h"

struct strikes {
	int64_t window;
	unsigned n;
};

struct origin {
	char name[ORIGIN_MAX + 1];
	int64_t window; /* monotonic seconds of its begin */
	unsigned calls;
	unsigned prompts;
	struct strikes wrong;
	struct strikes refused;
	int64_t cool_until;
	int64_t used;
};

struct rate {
	const struct uk_clock *clock;
	struct origin *v;
	size_t n;
};

struct rate *
rate_new(const struct uk_clock *clock)
{
	struct rate *r = uk_xalloc(sizeof(*r));

	r->clock = clock;
	r->v = uk_xalloc(RATE_ORIGINS * sizeof(*r->v));
	return r;
}

void
rate_free(struct rate **r)
{
	if (r == NULL || *r == NULL)
		return;
	free((*r)->v);
	free(*r);
	*r = NULL;
}

static int64_t
now(const struct rate *r)
{
	return uk_mono_ms(r->clock) / 1000;
}

/* One that cools down stays: it has as many other names as it likes. */
static int64_t
kept_until(const struct origin *o)
{
	return o->cool_until > o->used ? o->cool_until : o->used;
}

/* The place of the one unused for longest goes to a new origin. */
static struct origin *
find(struct rate *r, const char *name)
{
	struct origin *o = NULL;

	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	if (r->n < RATE_ORIGINS) {
		o = &r->v[r->n++];
	} else {
		o = &r->v[0];
		for (size_t i = 1; i < r->n; i++)
			if (kept_until(&r->v[i]) < kept_until(o))
				o = &r->v[i];
	}
	memset(o, 0, sizeof(*o));
	memcpy(o->name, name, strlen(name) + 1);
	o->window = now(r);
	return o;
}

bool
rate_take(struct rate *r, const char *origin, bool prompt)
{
	struct origin *o = find(r, origin);
	const int64_t t = now(r);

	o->used = t;
	if (t - o->window >= RATE_WINDOW) {
		o->window = t;
		o->calls = 0;
		o->prompts = 0;
	}
	if (o->calls >= RATE_CALLS)
		return false;
	o->calls++;
	if (!prompt)
		return true;
	if (t < o->cool_until || o->prompts >= RATE_PROMPTS)
		return false;
	o->prompts++;
	return true;
}

static void
strike(struct rate *r, struct origin *o, struct strikes *s, unsigned max)
{
	const int64_t t = now(r);

	if (s->n == 0 || t - s->window >= RATE_STRIKE_WINDOW) {
		s->window = t;
		s->n = 0;
	}
	if (++s->n < max)
		return;
	o->cool_until = t + RATE_COOL;
	s->n = 0;
}

void
rate_wrong_pin(struct rate *r, const char *origin)
{
	struct origin *o = find(r, origin);

	strike(r, o, &o->wrong, RATE_WRONG_PINS);
}

void
rate_refused(struct rate *r, const char *origin)
{
	struct origin *o = find(r, origin);

	strike(r, o, &o->refused, RATE_REFUSALS);
}

void
rate_agreed(struct rate *r, const char *origin)
{
	find(r, origin)->refused.n = 0;
}
