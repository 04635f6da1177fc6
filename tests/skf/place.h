/*
 * The module under test, and one UKEY for it.  From the environment:
 *
 *	SKF_MODULE    its path; without it the virtual UKEY, in a folder of its own
 *	SKF_AUTH_KEY  the device authentication key of the UKEY that is in: 32 hex digits
 *	SKF_REMOVE, SKF_INSERT  commands that pull it and plug it in; without them what is about
 *	              pulling is skipped
 *
 * The tests make an application "ukey-test" on it, and delete it afterwards.
 */
#ifndef TESTS_SKF_PLACE_H
#define TESTS_SKF_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oracle.h"
#include "table.h"

#define APP   "ukey-test"
#define ADMIN "admin-87654321"
#define USER  "user-12345678"
#define TRIES 6

struct place {
	struct skf m;
	bool software; /* it is ours: a few things more are known */
	char *folder;  /* of ours */
	char name[256];
	uint8_t auth_key[16];
	const char *remove, *insert;
};

/* The one there is; before and after a group of tests. */
struct place *place(void);
int place_open(void **state);
int place_close(void **state);

void place_pull(void);
void place_plug(void);

/* Each fails the test when the module fails. */
DEVHANDLE connected(void);
void authenticate(DEVHANDLE h);

/* A fresh application; PINs ADMIN and USER, TRIES each. */
HAPPLICATION application(DEVHANDLE h);
void log_in(HAPPLICATION app);

/* A container with an SM2 signing pair; logged in. */
HCONTAINER signing_container(HAPPLICATION app, const char *name, ECCPUBLICKEYBLOB *key);

/* The same with an encryption pair that came in an envelope. */
HCONTAINER dual_container(
    HAPPLICATION app, const char *name, ECCPUBLICKEYBLOB *sign, ECCPUBLICKEYBLOB *enc);

/* Deletes the application and disconnects. */
void done(DEVHANDLE h);

#define S(text)  ((char *)(uintptr_t)(text))
#define ok(call) assert_int_equal((call), SAR_OK)

#endif
