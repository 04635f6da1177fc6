#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "soft/module.h"

#define SECURE_HEAP  (256u * 1024u)
#define HANDLE_SHIFT 16

static struct {
	pthread_mutex_t lock;
	pthread_once_t once;
	struct device *devices;
	struct object *objects[OBJECTS_MAX];
	uint32_t generations[OBJECTS_MAX];
	size_t used; /* of objects, at most */
} the = { .lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT };

void
login_drop_keys(struct login *l)
{
	for (size_t i = 0; i < KEYS_KEPT; i++)
		key_free(&l->keys[i]);
}

void
login_end(struct login *l)
{
	login_drop_keys(l);
	uk_secret_free(&l->master);
	*l = (struct login){ 0 };
}

static void
device_close(struct device *d)
{
	for (size_t i = 0; i < APPS_MAX; i++)
		login_end(&d->logins[i]);
	state_free(&d->state);
	disk_close(&d->disk);
	d->connected = false;
	d->holder = NULL;
	d->epoch++;
}

static void
object_free(struct object *o)
{
	if (o->free_data != NULL)
		o->free_data(o->data);
	OPENSSL_cleanse(o, sizeof(*o));
	free(o);
}

static void
forget_all(void)
{
	struct device *d;

	for (size_t i = 0; i < the.used; i++)
		if (the.objects[i] != NULL) {
			object_free(the.objects[i]);
			the.objects[i] = NULL;
		}
	while ((d = the.devices) != NULL) {
		the.devices = d->next;
		device_close(d);
		if (d->root >= 0)
			(void)close(d->root);
		free(d);
	}
}

static void
fork_prepare(void)
{
	(void)pthread_mutex_lock(&the.lock);
}

static void
fork_parent(void)
{
	(void)pthread_mutex_unlock(&the.lock);
}

/*
 * A child has no log-in and no handle: the pages of secrets are not there, and the files are the
 * parent's, lock included.  What can't be freed without them is left.
 */
static void
fork_child(void)
{
	for (struct device *d = the.devices; d != NULL; d = d->next) {
		disk_close(&d->disk);
		if (d->root >= 0)
			(void)close(d->root);
	}
	the.devices = NULL;
	for (size_t i = 0; i < the.used; i++)
		if (the.objects[i] != NULL) {
			the.objects[i] = NULL;
			the.generations[i]++;
		}
	(void)pthread_mutex_init(&the.lock, NULL);
}

static void
once(void)
{
	(void)pthread_atfork(fork_prepare, fork_parent, fork_child);
	/* Where the host has none: private keys' numbers are in locked memory then. */
	if (CRYPTO_secure_malloc_initialized() == 0)
		(void)CRYPTO_secure_malloc_init(SECURE_HEAP, 32);
}

__attribute__((destructor)) static void
unload(void)
{
	forget_all();
}

void
module_lock(void)
{
	(void)pthread_once(&the.once, once);
	(void)pthread_mutex_lock(&the.lock);
}

void
module_unlock(void)
{
	(void)pthread_mutex_unlock(&the.lock);
}

/* --- UKEYs --- */

static struct device *
device_find(const char *name, const struct stat *root)
{
	for (struct device *d = the.devices; d != NULL; d = d->next)
		if (strcmp(d->name, name) == 0 && d->root_inode == root->st_ino &&
		    d->root_device == root->st_dev)
			return d;
	return NULL;
}

bool
device_there(struct device *d)
{
	const struct presence now = place_presence(d->root, d->name);

	if (d->connected && presence_same(&now, &d->presence))
		return true;
	if (d->connected)
		device_close(d);
	return false;
}

static struct device *
device_new(const char *name, const struct stat *root)
{
	struct device *d = uk_xalloc(sizeof(*d));

	memcpy(d->name, name, strlen(name));
	d->root = -1;
	d->root_inode = root->st_ino;
	d->root_device = root->st_dev;
	disk_init(&d->disk);
	d->next = the.devices;
	the.devices = d;
	return d;
}

static ULONG
connect_in(int root, const char *name, struct device **out)
{
	struct presence now;
	struct device *d;
	struct stat st;
	ULONG rv = SAR_OK;

	if (!place_exists(root, name) || fstat(root, &st) != 0)
		return SAR_INVALIDPARAMERR;
	now = place_presence(root, name);
	if (!now.in)
		return SAR_DEVICE_REMOVED;
	d = device_find(name, &st);
	if (d == NULL)
		d = device_new(name, &st);
	if (!device_there(d)) {
		if (d->root >= 0)
			(void)close(d->root);
		d->root = fcntl(root, F_DUPFD_CLOEXEC, 0);
		rv = disk_open(d->root, name, &d->disk);
		d->connected = rv == SAR_OK;
		d->presence = now;
	}
	*out = d;
	return rv;
}

ULONG
device_connect(const char *name, struct device **out)
{
	char *path = place_root();
	const int root = place_open(path);
	ULONG rv = SAR_READFILEERR;

	if (root >= 0) {
		rv = connect_in(root, name, out);
		(void)close(root);
	}
	free(path);
	return rv;
}

struct login *
device_login(struct device *d, const uint8_t app[ID_LEN])
{
	for (size_t i = 0; i < APPS_MAX; i++)
		if (d->logins[i].master != NULL && memcmp(d->logins[i].app, app, ID_LEN) == 0)
			return &d->logins[i];
	return NULL;
}

struct login *
device_login_new(struct device *d, const uint8_t app[ID_LEN])
{
	struct login *l = device_login(d, app);

	for (size_t i = 0; l == NULL && i < APPS_MAX; i++)
		if (d->logins[i].master == NULL)
			l = &d->logins[i];
	/* As many as there may be applications: one of them was deleted. */
	for (size_t i = 0; l == NULL && i < APPS_MAX; i++)
		if (i + 1 == APPS_MAX || state_app_by_id(d->state, d->logins[i].app) == NULL)
			l = &d->logins[i];
	if (memcmp(l->app, app, ID_LEN) != 0)
		login_end(l);
	memcpy(l->app, app, ID_LEN);
	return l;
}

/* --- handles --- */

struct object *
object_new(enum kind kind, struct device *d, struct object *parent)
{
	struct object *o;
	size_t i = 0;

	while (i < the.used && the.objects[i] != NULL)
		i++;
	if (i == OBJECTS_MAX)
		return NULL;
	if (i == the.used)
		the.used++;
	o = uk_xalloc(sizeof(*o));
	o->kind = kind;
	o->index = i;
	o->generation = ++the.generations[i];
	o->device = d;
	o->epoch = d->epoch;
	o->parent = parent;
	o->connection = parent != NULL ? parent->connection : o;
	if (parent != NULL) {
		memcpy(o->app, parent->app, ID_LEN);
		memcpy(o->container, parent->container, ID_LEN);
	}
	the.objects[i] = o;
	return o;
}

HANDLE
object_handle(const struct object *o)
{
	return (HANDLE)((uintptr_t)o->generation << HANDLE_SHIFT | (uintptr_t)(o->index + 1));
}

struct object *
object_get(HANDLE h, enum kind kind)
{
	const size_t i = ((uintptr_t)h & ((1u << HANDLE_SHIFT) - 1)) - 1;
	struct object *o = i < the.used ? the.objects[i] : NULL;

	if (o == NULL || object_handle(o) != h)
		return NULL;
	if (kind == KIND_NONE)
		return o->kind > KIND_CONTAINER ? o : NULL;
	return o->kind == kind ? o : NULL;
}

void
object_close(struct object *o)
{
	the.objects[o->index] = NULL; /* first, so that it is found once only */
	for (size_t k = 0; k < the.used; k++)
		if (the.objects[k] != NULL && the.objects[k]->parent == o)
			object_close(the.objects[k]);
	if (o->device->holder == o && o->device->connected) {
		disk_unlock(&o->device->disk);
		o->device->holder = NULL;
	}
	object_free(o);
}
