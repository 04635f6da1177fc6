#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/origin.h"
#include "policy/station.h"
#include "protocol/channel.h"
#include "protocol/methods.h"

#define CHANNELS  16
#define VOUCH_MAX 2048

struct channel {
	char origin[ORIGIN_MAX + 1];
	char purpose[16];
	char code[CHANNEL_CODE];
	int64_t expires;
	struct uk_jwk *key;
};

struct channels {
	struct channel v[CHANNELS];
	size_t next;
};

struct channels *
channels_new(void)
{
	return uk_xalloc(sizeof(struct channels));
}

void
channels_free(struct channels **c)
{
	if (*c == NULL)
		return;
	for (size_t i = 0; i < CHANNELS; i++)
		uk_jwk_free(&(*c)->v[i].key);
	free(*c);
	*c = NULL;
}

static struct channel *
find(struct channels *c, const char *origin)
{
	for (size_t i = 0; i < CHANNELS; i++)
		if (c->v[i].key != NULL && strcmp(c->v[i].origin, origin) == 0)
			return &c->v[i];
	return NULL;
}

void
channels_put(struct channels *c, const char *origin, const char *purpose, const char *code,
    int64_t now, struct uk_jwk **key)
{
	struct channel *ch = find(c, origin);

	if (ch == NULL)
		ch = &c->v[c->next++ % CHANNELS];
	uk_jwk_free(&ch->key);
	(void)snprintf(ch->origin, sizeof(ch->origin), "%s", origin);
	(void)snprintf(ch->purpose, sizeof(ch->purpose), "%s", purpose);
	(void)snprintf(ch->code, sizeof(ch->code), "%s", code);
	ch->expires = now + CHANNEL_LIFE;
	ch->key = *key;
	*key = NULL;
}

struct uk_jwk *
channels_take(struct channels *c, const char *origin, const char *purpose, int64_t now,
    char code[CHANNEL_CODE])
{
	struct channel *ch = find(c, origin);
	struct uk_jwk *key;

	if (ch == NULL)
		return NULL;
	key = ch->key;
	ch->key = NULL;
	if (code != NULL)
		memcpy(code, ch->code, CHANNEL_CODE);
	if (now >= ch->expires || strcmp(ch->purpose, purpose) != 0)
		uk_jwk_free(&key);
	return key;
}

/* The station says that this channel is its own, so the CA knows where a ticket will be opened. */
static enum uk_rc
vouch(const struct call *c, const struct uk_jwk *key, json_t *result, struct uk_err *err)
{
	struct uk_jwk *station = NULL;
	struct uk_buf jws;
	enum uk_rc rc;

	rc = station_load(c->env->station, &station, err);
	if (rc != UK_OK)
		return rc == UK_E_NOT_FOUND ? UK_OK : rc;
	uk_buf_init(&jws, VOUCH_MAX);
	rc = uk_station_vouch(station, key, c->origin, uk_now(c->env->clock), &jws, err);
	if (rc == UK_OK)
		json_object_set_new(result, "vouch", json_string(uk_buf_str(&jws)));
	uk_buf_fini(&jws);
	uk_jwk_free(&station);
	return rc;
}

/*
 * On the WebSocket the origin is the browser's word, and a program that is no browser can say it,
 * too: so the user compares what the page shows with what the window shows.
 */
static void
make_code(const struct call *c, char code[CHANNEL_CODE])
{
	code[0] = '\0';
	if (!c->facts.local && !c->facts.native)
		(void)snprintf(code, CHANNEL_CODE, "%04u", uk_random_below(c->env->random, 10000));
}

static void
make(struct call *c)
{
	const struct channel_params *p = c->in;
	const bool unlock = strcmp(p->purpose, "unlock") == 0;
	char code[CHANNEL_CODE] = "";
	char thumbprint[UK_THUMB_LEN];
	struct uk_jwk *key = NULL;
	struct uk_err err = { 0 };
	json_t *result;

	if (uk_jwk_new(&key, &err) != UK_OK) {
		call_fail(c, &err);
		return;
	}
	uk_jwk_thumbprint(key, thumbprint);
	result = json_pack("{s:o, s:s}", "channel", uk_jwk_public(key), "thumbprint", thumbprint);
	if (unlock)
		make_code(c, code);
	if (code[0] != '\0')
		json_object_set_new(result, "code", json_string(code));
	if (!unlock && vouch(c, key, result, &err) != UK_OK) {
		json_decref(result);
		uk_jwk_free(&key);
		call_fail(c, &err);
		return;
	}
	channels_put(
	    rpc_channels(c->rpc), c->origin, p->purpose, code, uk_now(c->env->clock), &key);
	call_reply(c, result);
}

void
agent_channel(struct call *c)
{
	const struct channel_params *p = c->in;

	if (strcmp(p->purpose, "production") == 0)
		c->facts.needs |= NEEDS_PRODUCTION;
	call_allow(c, make);
}
