/*
 * PIN tries left.  Each application has two records in pin.ctr, written in turn: a crash within a
 * write leaves the other.
 *
 *	4 sequence | 1 admin tries | 1 user tries | 2 zero | 4 application | 4 of SHA-256
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "soft/disk.h"

#define RECORD  16
#define SUMMED  12
#define COUNTER "pin.ctr"

struct record {
	uint32_t sequence;
	uint8_t left[2];
};

static void
put(uint8_t b[RECORD], const struct record *r, const struct app *a)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(r->sequence >> (24 - 8 * i));
	b[4] = r->left[ADMIN_TYPE];
	b[5] = r->left[USER_TYPE];
	b[6] = b[7] = 0;
	memcpy(b + 8, a->id, 4);
	(void)SHA256(b, SUMMED, sum);
	memcpy(b + SUMMED, sum, RECORD - SUMMED);
}

static bool
get(const uint8_t b[RECORD], struct record *r, const struct app *a)
{
	uint8_t again[RECORD];

	r->sequence =
	    (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
	r->left[ADMIN_TYPE] = b[4];
	r->left[USER_TYPE] = b[5];
	put(again, r, a);
	return memcmp(again, b, RECORD) == 0 && b[4] <= a->pins[ADMIN_TYPE].tries &&
	       b[5] <= a->pins[USER_TYPE].tries;
}

static off_t
place_of(const struct app *a, uint32_t sequence)
{
	return (off_t)(a->slot * 2 + sequence % 2) * RECORD;
}

/* The newer of the two. */
static ULONG
newest(int fd, const struct app *a, struct record *r)
{
	uint8_t b[RECORD];
	struct record one;
	bool found = false;

	for (uint32_t i = 0; i < 2; i++) {
		if (pread(fd, b, RECORD, place_of(a, i)) != RECORD || !get(b, &one, a))
			continue;
		if (!found || one.sequence > r->sequence)
			*r = one;
		found = true;
	}
	return found ? SAR_OK : SAR_FILEERR;
}

static int
open_counter(const struct disk *d, int flags)
{
	return openat(d->dir, COUNTER, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

ULONG
disk_tries(const struct disk *d, const struct app *a, uint8_t left[2])
{
	const int fd = open_counter(d, O_RDONLY);
	struct record r = { 0 };
	ULONG rv;

	if (fd < 0)
		return SAR_FILEERR;
	rv = newest(fd, a, &r);
	(void)close(fd);
	if (rv == SAR_OK)
		memcpy(left, r.left, sizeof(r.left));
	return rv;
}

ULONG
disk_set_tries(const struct disk *d, const struct app *a, const uint8_t left[2])
{
	const int fd = open_counter(d, O_RDWR | O_CREAT);
	uint8_t b[RECORD];
	struct record r = { 0 };
	ULONG rv = SAR_WRITEFILEERR;

	if (fd < 0)
		return rv;
	if (newest(fd, a, &r) != SAR_OK)
		r.sequence = 0;
	r.sequence++;
	memcpy(r.left, left, sizeof(r.left));
	put(b, &r, a);
	if (pwrite(fd, b, RECORD, place_of(a, r.sequence)) == RECORD && fdatasync(fd) == 0)
		rv = SAR_OK;
	(void)close(fd);
	return rv;
}
