#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/gate.h"
#include "policy/origin.h"
#include "policy/rate.h"
#include "uk/buf.h"

#define CONSENTS       32
#define CONSENT_LIFE   (15 * 60)
#define CONSENT_OBJECT 191

struct consent {
	char origin[ORIGIN_MAX + 1];
	char object[CONSENT_OBJECT + 1];
	int64_t until; /* monotonic ms */
};

struct gate {
	const struct policy *policy;
	struct sites *sites;
	const struct uk_clock *clock;
	struct rate *rate;
	uid_t self;
	struct consent consents[CONSENTS];
	size_t next;
};

struct gate *
gate_new(const struct policy *policy, struct sites *sites, const struct uk_clock *clock, uid_t self)
{
	struct gate *g = uk_xalloc(sizeof(*g));

	g->policy = policy;
	g->sites = sites;
	g->clock = clock;
	g->rate = rate_new(clock);
	g->self = self;
	return g;
}

void
gate_free(struct gate **g)
{
	if (g == NULL || *g == NULL)
		return;
	rate_free(&(*g)->rate);
	free(*g);
	*g = NULL;
}

bool
gate_allowed(struct gate *g, bool local, const char *origin)
{
	if (local)
		return true;
	if (policy_blocks(g->policy, origin))
		return false;
	return policy_allows(g->policy, origin) || sites_allowed(g->sites, origin);
}

bool
gate_shows(struct gate *g, bool local, const char *origin, const char *fingerprint)
{
	if (!gate_allowed(g, local, origin))
		return false;
	return local || policy_allows(g->policy, origin) ||
	       sites_certificate(g->sites, origin, fingerprint);
}

static bool
remembered(const struct gate *g, const struct gate_facts *f)
{
	if (f->object == NULL || f->origin == NULL)
		return false;
	for (size_t i = 0; i < CONSENTS; i++)
		if (uk_mono_ms(g->clock) < g->consents[i].until &&
		    strcmp(g->consents[i].object, f->object) == 0 &&
		    strcmp(g->consents[i].origin, f->origin) == 0)
			return true;
	return false;
}

/* One step: GATE_PASS goes on to the next. */
typedef enum gate_answer step_fn(struct gate *, const struct gate_facts *, struct uk_err *);

static enum gate_answer
refuse(struct uk_err *err, enum uk_rc rc, const char *reason)
{
	/* The code is in err, where the caller wants it. */
	if (uk_fail(err, rc, reason, "gate", 0) == UK_OK)
		abort();
	return GATE_REFUSE;
}

static enum gate_answer
check_peer(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	if (!f->peer_known || f->peer != g->self)
		return refuse(err, UK_E_DENIED, "peer-refused");
	return GATE_PASS;
}

/* The page of settings of the extension: it sees the state, and uses no key. */
static bool
own_page(const struct gate_facts *f)
{
	return f->native && f->needs == 0 && origin_of_extension(f->origin, f->extension);
}

static enum gate_answer
check_origin(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	if (f->local)
		return GATE_PASS;
	if (!origin_valid(f->origin, g->policy->development) && !own_page(f))
		return refuse(err, UK_E_DENIED, "origin-refused");
	if (f->native && (f->extension == NULL ||
			     (*f->extension != '\0' && !policy_extension(g->policy, f->extension))))
		return refuse(err, UK_E_DENIED, "extension-refused");
	return GATE_PASS;
}

static enum gate_answer
check_needs(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	if ((f->needs & NEEDS_LOCAL) != 0 && !f->local)
		return refuse(err, UK_E_DENIED, "policy-refused");
	if ((f->needs & NEEDS_PRODUCTION) == 0)
		return GATE_PASS;
	if (!g->policy->production || (!f->local && !policy_allows(g->policy, f->origin)))
		return refuse(err, UK_E_DENIED, "policy-refused");
	return GATE_PASS;
}

static enum gate_answer
check_rate(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	const unsigned windows = NEEDS_PROMPT | NEEDS_CONSENT | NEEDS_PIN;

	if (f->local || f->stage != GATE_CALL)
		return GATE_PASS;
	if (!rate_take(g->rate, f->origin, (f->needs & windows) != 0))
		return refuse(err, UK_E_RATE, "rate-limited");
	return GATE_PASS;
}

bool
gate_faulty(struct gate *g, const struct gate_facts *f)
{
	return f->local || rate_take(g->rate, f->origin, false);
}

static enum gate_answer
check_site(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	if (!f->local && policy_blocks(g->policy, f->origin) && f->needs != 0)
		return refuse(err, UK_E_DENIED, "policy-refused");
	if ((f->needs & NEEDS_SITE) != 0 && !gate_allowed(g, f->local, f->origin))
		return refuse(err, UK_E_DENIED, "site-not-allowed");
	return GATE_PASS;
}

/* The same answer as for one that is not there: a site can't find out who holds which key. */
static enum gate_answer
check_certificate(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	if (f->certificate != NULL && !gate_shows(g, f->local, f->origin, f->certificate))
		return refuse(err, UK_E_NOT_FOUND, "certificate-not-found");
	return GATE_PASS;
}

static enum gate_answer
check_consent(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	(void)err;
	if (f->local || (f->needs & NEEDS_CONSENT) == 0 || f->consent || remembered(g, f))
		return GATE_PASS;
	return GATE_ASK_CONSENT;
}

static enum gate_answer
check_pin(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	(void)g;
	(void)err;
	return (f->needs & NEEDS_PIN) == 0 || f->logged_in ? GATE_PASS : GATE_ASK_PIN;
}

struct step {
	enum gate_stage from;
	step_fn *check;
};

static const struct step steps[] = {
	{ GATE_CONNECT, check_peer },
	{ GATE_CONNECT, check_origin },
	{ GATE_CALL, check_needs },
	{ GATE_CALL, check_rate },
	{ GATE_CALL, check_site },
	{ GATE_OBJECT, check_certificate },
	{ GATE_OBJECT, check_consent },
	{ GATE_OBJECT, check_pin },
};

enum gate_answer
gate_decide(struct gate *g, const struct gate_facts *f, struct uk_err *err)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum gate_answer a;

		if (f->stage < steps[i].from)
			continue;
		a = steps[i].check(g, f, err);
		if (a != GATE_PASS)
			return a;
	}
	return GATE_PASS;
}

void
gate_consented(struct gate *g, const struct gate_facts *f, int seconds)
{
	struct consent *c;

	if (seconds == 0 && g->policy->session)
		seconds = CONSENT_LIFE;
	if (seconds == 0 || f->object == NULL || f->origin == NULL ||
	    strlen(f->object) > CONSENT_OBJECT || strlen(f->origin) > ORIGIN_MAX)
		return;
	c = &g->consents[g->next++ % CONSENTS];
	memcpy(c->origin, f->origin, strlen(f->origin) + 1);
	memcpy(c->object, f->object, strlen(f->object) + 1);
	c->until = uk_mono_ms(g->clock) + (int64_t)seconds * 1000;
}

void
gate_forget(struct gate *g)
{
	memset(g->consents, 0, sizeof(g->consents));
}

void
gate_wrong_pin(struct gate *g, const struct gate_facts *f)
{
	if (!f->local && f->origin != NULL)
		rate_wrong_pin(g->rate, f->origin);
}

void
gate_refused(struct gate *g, const struct gate_facts *f)
{
	if (!f->local && f->origin != NULL)
		rate_refused(g->rate, f->origin);
}

void
gate_agreed(struct gate *g, const struct gate_facts *f)
{
	if (!f->local && f->origin != NULL)
		rate_agreed(g->rate, f->origin);
}
