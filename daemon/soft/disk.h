/*
 * One UKEY's folder, 0700:
 *
 *	token.state  what it holds; replaced as a whole
 *	pin.ctr      PIN tries left, two copies of each, written in place and synced
 *	lock         flock(2): shared to read, exclusive to write, held by SKF_LockDev
 *	fault        what `ukey soft set-fault` asked for, if anything
 */
#ifndef SOFT_DISK_H
#define SOFT_DISK_H

#include <sys/stat.h>

#include "soft/state.h"

/* Another one than before: the file was replaced or written. */
struct stamp {
	ino_t inode;
	off_t size;
	struct timespec when;
};

struct disk {
	int dir;
	int lock;
	struct stamp stamp; /* of the state that was read last */
};

void disk_init(struct disk *d);
ULONG disk_open(int root, const char *name, struct disk *d);
void disk_close(struct disk *d);

/* Makes the folder, with no state and its counters; SAR_FILE_ALREADY_EXIST. */
ULONG disk_make(int root, const char *name, struct disk *d);

/* SAR_TIMEOUTERR: somebody else has it now. */
ULONG disk_lock(const struct disk *d, bool exclusive);
void disk_unlock(const struct disk *d);

/* Replaces *s only when what is on disk is not what was read last. */
ULONG disk_load(struct disk *d, struct state **s);
ULONG disk_save(struct disk *d, struct state *s);

/* SAR_FILEERR: neither copy is whole, or it is another application's. */
ULONG disk_tries(const struct disk *d, const struct app *a, uint8_t left[2]);

/* On the disk when it returns. */
ULONG disk_set_tries(const struct disk *d, const struct app *a, const uint8_t left[2]);

/* Read a file of the folder whole; *there says whether it exists. */
ULONG disk_read(
    const struct disk *d, const char *file, size_t max, bool *there, struct uk_buf *out);
bool disk_stamp(const struct disk *d, const char *file, struct stamp *out);
bool stamp_same(const struct stamp *a, const struct stamp *b);

#endif
