/*
 * What the process has open.  The SKF interface hands no context in, so the module has a global
 * variable, with one lock; skf_event.c has another, since it waits.
 *
 * A handle is a number, never a pointer: type, place and generation are checked, so a stale or
 * invented one is SAR_INVALIDHANDLEERR.  A UKEY that was pulled takes its log-ins and keys with it;
 * its handles answer SAR_DEVICE_REMOVED until they are closed, also when it is in again.
 */
#ifndef SOFT_MODULE_H
#define SOFT_MODULE_H

#include "soft/fault.h"
#include "soft/keys.h"
#include "soft/place.h"

#define OBJECTS_MAX 4096
#define KEYS_KEPT   8

enum kind {
	KIND_NONE,
	KIND_DEVICE,
	KIND_APP,
	KIND_CONTAINER,
	KIND_KEY,
	KIND_HASH,
	KIND_MAC,
	KIND_AGREEMENT,
};

/* Of this process, by application: the interface knows no other sessions. */
struct login {
	uint8_t app[ID_LEN];
	bool may[2]; /* ADMIN_TYPE, USER_TYPE; neither: the place is free */
	struct uk_secret *master;
	struct stamp checked; /* the state whose MAC was right */
	struct key *keys[KEYS_KEPT];
	size_t next_key;
};

struct device {
	struct device *next;
	char name[PLACE_NAME_MAX + 1];
	int root;
	dev_t root_device; /* which ROOT it is in */
	ino_t root_inode;
	bool connected;
	unsigned long epoch; /* handles of an earlier one are of a UKEY that was pulled */
	struct presence presence;
	struct disk disk;
	struct state *state;
	struct login logins[APPS_MAX];
	const struct object *holder; /* the handle that SKF_LockDev was called with */
	struct faults faults;
};

struct object {
	enum kind kind;
	size_t index; /* its place, and how many had it before */
	uint32_t generation;
	struct device *device;
	unsigned long epoch;
	struct object *connection; /* the handle of the UKEY; itself in that */
	struct object *parent;     /* closed with it; NULL: none */
	uint8_t app[ID_LEN];
	uint8_t container[ID_LEN];
	bool authenticated; /* KIND_DEVICE: SKF_DevAuth */
	bool challenged;
	uint8_t challenge[8];
	void *data; /* of keys, hashes, MACs and agreements */
	void (*free_data)(void *data);
};

void module_lock(void);
void module_unlock(void);

/* All below: with the lock. */

/* Connects, or finds it connected; SAR_INVALIDPARAMERR: no such UKEY; SAR_DEVICE_REMOVED. */
ULONG device_connect(const char *name, struct device **out);

/* Still the insertion it was?  If not, all it had here is gone. */
bool device_there(struct device *d);

/* NULL: nobody has logged in. */
struct login *device_login(struct device *d, const uint8_t app[ID_LEN]);

/* That one, or a free one; the state is read. */
struct login *device_login_new(struct device *d, const uint8_t app[ID_LEN]);
void login_end(struct login *l);
void login_drop_keys(struct login *l);

/* NULL: too many.  parent is NULL for a UKEY only. */
struct object *object_new(enum kind kind, struct device *d, struct object *parent);
HANDLE object_handle(const struct object *o);

/* NULL: stale, or of another kind.  KIND_NONE: of any but the first three. */
struct object *object_get(HANDLE h, enum kind kind);

/* With all that came through it. */
void object_close(struct object *o);

#endif
