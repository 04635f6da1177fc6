/* The folder of a virtual UKEY: what is tampered with, torn or lost is refused, never forgiven. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "soft/make.h"
#include "soft/pin.h"
#include "soft/place.h"

struct world {
	char root[64];
	int fd;
	struct disk d;
	struct state *s;
	struct app *a;
};

static int
set_up(void **state)
{
	static const uint8_t key[AUTH_KEY_LEN];
	const struct app_wanted w = { .name = "app",
		.pins = { "admin-pin", "user-pin" },
		.tries = { 5, 3 },
		.file_rights = SECURE_USER_ACCOUNT };
	struct world *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	memcpy(t->root, "/tmp/soft-disk-XXXXXX", 22);
	assert_non_null(mkdtemp(t->root));
	t->fd = place_open(t->root);
	assert_true(t->fd >= 0);
	assert_int_equal(make_ukey(t->fd, "key", "label", "serial", key), SAR_OK);
	assert_int_equal(make_app_in(t->fd, "key", &w), SAR_OK);
	assert_int_equal(disk_open(t->fd, "key", &t->d), SAR_OK);
	assert_int_equal(disk_load(&t->d, &t->s), SAR_OK);
	t->a = state_app(t->s, "app");
	assert_non_null(t->a);
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *t = *state;
	static const char *const files[] = { "key/token.state", "key/pin.ctr", "key/lock",
		"inserted/key" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(t->fd, files[i], 0);
	(void)unlinkat(t->fd, "key", AT_REMOVEDIR);
	(void)unlinkat(t->fd, PLACE_INSERTED, AT_REMOVEDIR);
	assert_int_equal(rmdir(t->root), 0);
	state_free(&t->s);
	disk_close(&t->d);
	(void)close(t->fd);
	free(t);
	return 0;
}

/* XOR one byte of a file in the UKEY's folder. */
static void
flip(const struct world *t, const char *file, off_t at)
{
	const int fd = openat(t->d.dir, file, O_RDWR);
	uint8_t b;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

/* A write that was cut off leaves the record before; without any, no PIN is compared. */
static void
torn_counter(void **state)
{
	struct world *t = *state;
	struct uk_secret *master = NULL;
	uint8_t left[2];
	uint32_t tries;

	assert_int_equal(disk_tries(&t->d, t->a, left), SAR_OK);
	assert_int_equal(left[USER_TYPE], 3);
	assert_int_equal(left[ADMIN_TYPE], 5);
	left[USER_TYPE] = 2;
	assert_int_equal(disk_set_tries(&t->d, t->a, left), SAR_OK);
	flip(t, "pin.ctr", 0 * 16 + 5); /* sequence 2: the even place */
	assert_int_equal(disk_tries(&t->d, t->a, left), SAR_OK);
	assert_int_equal(left[USER_TYPE], 3);
	flip(t, "pin.ctr", 1 * 16 + 5);
	assert_int_equal(disk_tries(&t->d, t->a, left), SAR_FILEERR);
	assert_int_equal(pin_try(&t->d, t->a, USER_TYPE, "user-pin", &tries, &master), SAR_FILEERR);
	assert_null(master);
	assert_int_equal(unlinkat(t->d.dir, "pin.ctr", 0), 0);
	assert_int_equal(pin_try(&t->d, t->a, USER_TYPE, "user-pin", &tries, &master), SAR_FILEERR);
}

static void
spent_first(void **state)
{
	struct world *t = *state;
	struct uk_secret *master = NULL;
	uint32_t tries = 99;

	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(pin_try(&t->d, t->a, USER_TYPE, "wrong-pin", &tries, &master),
		    SAR_PIN_INCORRECT);
		assert_int_equal(tries, 3 - i);
	}
	assert_int_equal(
	    pin_try(&t->d, t->a, USER_TYPE, "user-pin", &tries, &master), SAR_PIN_LOCKED);
	assert_int_equal(pin_try(&t->d, t->a, ADMIN_TYPE, "admin-pin", &tries, &master), SAR_OK);
	assert_int_equal(tries, 5);
	assert_int_equal(vault_check(t->a, master), SAR_OK);
	uk_secret_free(&master);
}

static void
damaged_state(void **state)
{
	struct world *t = *state;
	struct state *fresh = NULL;
	struct disk d;

	flip(t, "token.state", 40);
	assert_int_equal(disk_open(t->fd, "key", &d), SAR_OK);
	assert_int_equal(disk_load(&d, &fresh), SAR_FILEERR);
	assert_null(fresh);
	disk_close(&d);
	assert_int_equal(unlinkat(t->d.dir, "token.state", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", t->d.dir, "token.state"), 0);
	assert_int_equal(disk_load(&t->d, &t->s), SAR_READFILEERR);
}

/* Changed on the disk with a sum that fits: seen at the log-in, and by who is logged in. */
static void
changed_behind(void **state)
{
	struct world *t = *state;
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	HAPPLICATION app;
	HCONTAINER con;
	uint8_t e[32] = { 1 }, der[4] = { 0x30, 2, 5, 0 };
	DEVHANDLE h;
	ULONG left;

	assert_int_equal(setenv("UKEY_SOFT_DIR", t->root, 1), 0);
	assert_int_equal(place_insert(t->fd, "key"), SAR_OK);
	assert_int_equal(SKF_ConnectDev((char[]){ "key" }, &h), SAR_OK);
	assert_int_equal(SKF_OpenApplication(h, (char[]){ "app" }, &app), SAR_OK);
	assert_int_equal(SKF_VerifyPIN(app, USER_TYPE, (char[]){ "user-pin" }, &left), SAR_OK);
	assert_int_equal(SKF_CreateContainer(app, (char[]){ "c" }, &con), SAR_OK);
	assert_int_equal(SKF_GenECCKeyPair(con, SGD_SM2_1, &key), SAR_OK);
	assert_int_equal(SKF_ImportCertificate(con, TRUE, der, sizeof(der)), SAR_OK);
	assert_int_equal(SKF_ECCSignData(con, e, 32, &sig), SAR_OK);
	assert_int_equal(disk_load(&t->d, &t->s), SAR_OK);
	state_app(t->s, "app")->containers[0].certificates[USE_SIGN].p[2] = 4;
	assert_int_equal(disk_save(&t->d, t->s), SAR_OK);
	assert_int_equal(SKF_ECCSignData(con, e, 32, &sig), SAR_FILEERR);
	assert_int_equal(SKF_ECCSignData(con, e, 32, &sig), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(SKF_VerifyPIN(app, USER_TYPE, (char[]){ "user-pin" }, &left), SAR_FILEERR);
	assert_int_equal(SKF_DisConnectDev(h), SAR_OK);
}

static void
names(void **state)
{
	struct world *t = *state;
	static const char *const bad[] = { "", ".", "..", "a/b", "../key", "inserted", ".hidden",
		"012345678901234567890123456789012", "k\xc3\xb6y", "a b" };
	static const uint8_t key[AUTH_KEY_LEN];
	struct uk_buf list;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(place_name_ok(bad[i]));
		assert_int_equal(place_insert(t->fd, bad[i]), SAR_OBJERR);
	}
	assert_int_equal(make_ukey(t->fd, "key", "label", "other", key), SAR_FILE_ALREADY_EXIST);
	assert_int_equal(make_ukey(t->fd, "other", "label", "serial", key), SAR_FILE_ALREADY_EXIST);
	assert_int_equal(place_insert(t->fd, "nokey"), SAR_OBJERR);
	assert_int_equal(place_insert(t->fd, "key"), SAR_OK);
	assert_int_equal(place_insert(t->fd, "key"), SAR_OK);
	uk_buf_init(&list, 100);
	assert_int_equal(place_list(t->fd, true, &list), SAR_OK);
	assert_int_equal(list.n, 4);
	uk_buf_fini(&list);
	assert_int_equal(place_remove(t->fd, "key"), SAR_OK);
	assert_int_equal(place_remove(t->fd, "key"), SAR_OK);
}

/* Pulled and plugged in again between two looks is not the same as never pulled. */
static void
insertions_differ(void **state)
{
	struct world *t = *state;
	struct presence a, b;

	assert_int_equal(place_insert(t->fd, "key"), SAR_OK);
	a = place_presence(t->fd, "key");
	b = place_presence(t->fd, "key");
	assert_true(a.in && presence_same(&a, &b));
	assert_int_equal(place_remove(t->fd, "key"), SAR_OK);
	(void)usleep(20 * 1000); /* a tick of the file system's clock */
	assert_int_equal(place_insert(t->fd, "key"), SAR_OK);
	b = place_presence(t->fd, "key");
	assert_true(b.in && !presence_same(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(torn_counter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spent_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changed_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(insertions_differ, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
