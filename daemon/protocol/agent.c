#include <string.h>
#include <unistd.h>

#include "protocol/methods.h"
#include "protocol/token.h"

struct feature {
	const char *name;
	bool production; /* only where this machine makes tokens */
};

static const struct feature features[] = {
	{ "cms", false },
	{ "cms-profiles", false }, /* of SM2 */
	{ "der", false },
	{ "data", false },
	{ "batch", false },
	{ "envelope", false },
	{ "login", false },
	{ "request", false },
	{ "pin", false },
	{ "channel", true },
	{ "production", true },
};

static json_t *
feature_list(const struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (!features[i].production || c->env->policy->production)
			json_array_append_new(list, json_string(features[i].name));
	return list;
}

/* What each token that is in can be asked for. */
static json_t *
token_list_can(const struct call *c)
{
	json_t *list = json_array();
	size_t n;
	const struct token_info *t = token_known(c->env->tokens, &n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, token_can_json(&t[i]));
	return list;
}

void
agent_hello(struct call *c)
{
	const bool allowed = gate_allowed(c->env->gate, c->facts.local, c->origin);
	json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:{s:s, s:b}}", "name", "ukeyd", "version",
	    UK_VERSION, "protocol", 1, "features", feature_list(c), "site", "origin", c->origin,
	    "allowed", (int)allowed);

	if (allowed)
		json_object_set_new(o, "tokens", token_list_can(c));
	call_reply(c, o);
}

/* --- agent.status: what may be wrong, by stable codes --- */

typedef bool check_fn(const struct call *c);

static bool
has_modules(const struct call *c)
{
	return c->env->policy->n_modules > 0;
}

static bool
modules_readable(const struct call *c)
{
	const struct policy *p = c->env->policy;

	for (size_t i = 0; i < p->n_modules; i++)
		if (access(p->modules[i].path, R_OK) != 0)
			return false;
	return true;
}

static bool
modules_well(const struct call *c)
{
	struct token_health h;

	for (size_t i = 0; token_health(c->env->tokens, i, &h); i++)
		if (!h.well)
			return false;
	return true;
}

static bool
has_pinentry(const struct call *c)
{
	return prompts_usable(c->env->prompts);
}

static bool
has_token(const struct call *c)
{
	size_t n;

	(void)token_known(c->env->tokens, &n);
	return n > 0;
}

static bool
has_station(const struct call *c)
{
	return !c->env->policy->production || access(c->env->station, R_OK) == 0;
}

static bool
has_trust(const struct call *c)
{
	return !c->env->policy->production || c->env->policy->n_trusted > 0;
}

struct check {
	const char *code;
	check_fn *ok;
	bool site; /* told to allowed sites only */
};

static const struct check checks[] = {
	{ "token-modules", has_modules, false },
	{ "token-modules-readable", modules_readable, false },
	{ "token-modules-work", modules_well, true },
	{ "token-present", has_token, true },
	{ "pinentry", has_pinentry, false },
	{ "station-key", has_station, true },
	{ "ticket-keys", has_trust, true },
};

/* Where on this machine a module lies is none of a page's business; what it is called, is. */
static json_t *
module_list(const struct call *c)
{
	json_t *list = json_array();
	struct token_health h;

	for (size_t i = 0; token_health(c->env->tokens, i, &h); i++) {
		const char *name = strrchr(h.path, '/');

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:b, s:s*, s:i}", "name",
			      name != NULL ? name + 1 : h.path, "kind", h.kind, "ok", (int)h.well,
			      "reason", h.reason, "failures", (int)h.failures));
	}
	return list;
}

void
agent_status(struct call *c)
{
	const bool allowed = gate_allowed(c->env->gate, c->facts.local, c->origin);
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (allowed || !checks[i].site)
			json_array_append_new(list,
			    json_pack("{s:s, s:b}", "code", checks[i].code, "ok", checks[i].ok(c)));
	call_reply(c,
	    json_pack("{s:o, s:o*}", "checks", list, "modules", allowed ? module_list(c) : NULL));
}
