#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "soft/call.h"
#include "soft/vault.h"

#define WAIT_NS (2 * 1000 * 1000)

void
call_nap(void)
{
	const struct timespec t = { .tv_nsec = WAIT_NS };

	module_unlock();
	(void)nanosleep(&t, NULL);
	module_lock();
}

/* With the lock, which is let go for the time of a wait.  A pulled UKEY ends it. */
static ULONG
block(struct device *d, uint32_t ms)
{
	struct timespec from, now;
	bool there = true;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	now = from;
	while (there &&
	       (now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms) {
		call_nap();
		there = device_there(d);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	}
	return there ? SAR_OK : SAR_DEVICE_REMOVED;
}

ULONG
call_fault(struct device *d, const char *function)
{
	const struct fault f = fault_next(&d->faults, &d->disk, function);

	switch (f.kind) {
	case FAULT_ERROR:
		return f.value;
	case FAULT_BLOCK:
		return block(d, f.value);
	case FAULT_CRASH:
		abort();
	case FAULT_NONE:
	case FAULT__MAX:
		break;
	}
	return SAR_OK;
}

/* SAR_TIMEOUTERR: later. */
static ULONG
take_lock(struct call *c)
{
	const struct object *holder = c->device->holder;
	ULONG rv;

	if (holder != NULL)
		return holder == c->o->connection ? SAR_OK : SAR_TIMEOUTERR;
	rv = disk_lock(&c->device->disk, (c->flags & CALL_WRITE) != 0);
	if (rv == SAR_OK && (c->flags & CALL_MEMORY) != 0)
		disk_unlock(&c->device->disk);
	else
		c->locked = rv == SAR_OK;
	return rv;
}

static ULONG
find(struct call *c, HANDLE h, enum kind kind)
{
	c->o = object_get(h, kind);
	if (c->o == NULL)
		return SAR_INVALIDHANDLEERR;
	c->device = c->o->device;
	if (!device_there(c->device) || c->o->epoch != c->device->epoch)
		return SAR_DEVICE_REMOVED;
	return SAR_OK;
}

/* A master key that no longer fits what is on the disk is worth nothing. */
static ULONG
check_login(struct call *c)
{
	ULONG rv;

	c->login = device_login(c->device, c->app->id);
	if (c->login == NULL || stamp_same(&c->login->checked, &c->device->disk.stamp))
		return SAR_OK;
	rv = vault_check(c->app, c->login->master);
	if (rv == SAR_OK) {
		c->login->checked = c->device->disk.stamp;
	} else {
		login_end(c->login);
		c->login = NULL;
	}
	return rv;
}

static ULONG
find_things(struct call *c)
{
	const enum kind kind = c->o->kind;
	ULONG rv;

	if ((c->flags & CALL_MEMORY) != 0)
		return SAR_OK;
	rv = disk_load(&c->device->disk, &c->device->state);
	if (rv != SAR_OK)
		return rv;
	c->state = c->device->state;
	if (kind == KIND_APP || kind == KIND_CONTAINER || kind == KIND_AGREEMENT) {
		c->app = state_app_by_id(c->state, c->o->app);
		if (c->app == NULL)
			return SAR_INVALIDHANDLEERR; /* it was deleted */
		rv = check_login(c);
	}
	if (rv == SAR_OK && (kind == KIND_CONTAINER || kind == KIND_AGREEMENT)) {
		c->container = app_container_by_id(c->app, c->o->container);
		if (c->container == NULL)
			rv = SAR_INVALIDHANDLEERR;
	}
	return rv;
}

static ULONG
may(const struct call *c)
{
	if ((c->flags & CALL_USER) != 0 && (c->login == NULL || !c->login->may[USER_TYPE]))
		return SAR_USER_NOT_LOGGED_IN;
	if ((c->flags & CALL_AUTH) != 0 && !c->o->connection->authenticated)
		return SAR_USER_NOT_LOGGED_IN;
	return SAR_OK;
}

ULONG
call_find(struct call *c, const char *function, HANDLE h, enum kind kind)
{
	ULONG rv;

	*c = (struct call){ 0 };
	rv = find(c, h, kind);
	if (rv == SAR_OK && function != NULL) {
		rv = call_fault(c->device, function);
		if (rv == SAR_OK)
			rv = find(c, h, kind); /* it may have waited */
	}
	return rv;
}

ULONG
call_close(const char *function, HANDLE h, enum kind kind)
{
	struct object *o;
	ULONG rv = SAR_INVALIDHANDLEERR;

	module_lock();
	o = object_get(h, kind);
	if (o != NULL) {
		rv = o->device->connected ? call_fault(o->device, function) : SAR_OK;
		if (rv == SAR_DEVICE_REMOVED)
			rv = SAR_OK;
		o = object_get(h, kind);
	}
	if (rv == SAR_OK && o != NULL)
		object_close(o);
	module_unlock();
	return rv;
}

ULONG
call_begin(struct call *c, const char *function, HANDLE h, enum kind kind, unsigned flags)
{
	ULONG rv;

	module_lock();
	rv = call_find(c, function, h, kind);
	c->flags = flags;
	while (rv == SAR_OK && (rv = take_lock(c)) == SAR_TIMEOUTERR) {
		call_nap();
		rv = find(c, h, kind);
	}
	if (rv == SAR_OK)
		rv = find_things(c);
	if (rv == SAR_OK)
		rv = may(c);
	return rv == SAR_OK ? rv : call_end(c, rv);
}

ULONG
call_end(struct call *c, ULONG rv)
{
	struct device *d = c->device;

	if (d != NULL && rv != SAR_OK && (c->flags & CALL_WRITE) != 0)
		state_free(&d->state);
	if (d != NULL && c->locked && d->connected)
		disk_unlock(&d->disk);
	if (d != NULL && rv == SAR_OK && !device_there(d))
		rv = SAR_DEVICE_REMOVED;
	module_unlock();
	return rv;
}

ULONG
call_save(struct call *c)
{
	struct device *d = c->device;
	ULONG rv = SAR_OK;

	if (c->app != NULL && c->login != NULL)
		rv = vault_protect(c->app, c->login->master);
	if (rv == SAR_OK && !device_there(d))
		return SAR_DEVICE_REMOVED;
	if (rv == SAR_OK)
		rv = disk_save(&d->disk, d->state);
	if (rv == SAR_OK && c->login != NULL) {
		c->login->checked = d->disk.stamp;
		login_drop_keys(c->login); /* one of them may be no more */
	}
	return rv;
}

ULONG
call_key(struct call *c, enum use use, struct key **out)
{
	struct login *l = c->login;
	const struct pair *p = &c->container->pairs[use];
	struct key *k = NULL;
	ULONG rv;

	if (!pair_there(p))
		return SAR_KEYNOTFOUNTERR;
	for (size_t i = 0; i < KEYS_KEPT; i++)
		if (l->keys[i] != NULL && memcmp(l->keys[i]->id, p->id, ID_LEN) == 0) {
			*out = l->keys[i];
			return SAR_OK;
		}
	rv = key_open(c->app, c->container, use, l->master, &k);
	if (rv != SAR_OK)
		return rv;
	key_free(&l->keys[l->next_key]);
	l->keys[l->next_key] = *out = k;
	l->next_key = (l->next_key + 1) % KEYS_KEPT;
	return SAR_OK;
}

ULONG
call_new(struct call *c, enum kind kind, struct object *parent, struct object **out)
{
	*out = object_new(kind, c->device, parent);
	return *out != NULL ? SAR_OK : SAR_MEMORYERR;
}
