/* PINs, device authentication, and who may do what. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

static ULONG
left_of(HAPPLICATION app, ULONG type, BOOL *initial)
{
	ULONG max = 0, left = 0;
	BOOL first = FALSE;

	ok(place()->m.GetPINInfo(app, type, &max, &left, &first));
	assert_int_equal(max, TRIES);
	if (initial != NULL)
		*initial = first;
	return left;
}

static void
pin_right_and_wrong(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	BOOL initial = FALSE;
	ULONG left = 99;

	(void)state;
	assert_int_equal(left_of(app, USER_TYPE, &initial), TRIES);
	assert_int_equal(initial, TRUE);
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, S("wrong-one"), &left), SAR_PIN_INCORRECT);
	assert_int_equal(left, TRIES - 1);
	assert_int_equal(left_of(app, USER_TYPE, NULL), TRIES - 1);
	assert_int_equal(left_of(app, ADMIN_TYPE, NULL), TRIES);
	ok(m->VerifyPIN(app, USER_TYPE, S(USER), &left));
	assert_int_equal(left_of(app, USER_TYPE, NULL), TRIES);
	/* no try is spent on what can't be a PIN */
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, S("12345"), &left), SAR_PIN_LEN_RANGE);
	assert_int_equal(m->VerifyPIN(app, 2, S(USER), &left), SAR_USER_TYPE_INVALID);
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, NULL, &left), SAR_INVALIDPARAMERR);
	assert_int_equal(m->VerifyPIN(h, USER_TYPE, S(USER), &left), SAR_INVALIDHANDLEERR);
	assert_int_equal(left_of(app, USER_TYPE, NULL), TRIES);
	done(h);
}

static void
pin_locks_and_unblocks(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	HCONTAINER con;
	uint8_t e[32] = { 1 };
	BOOL initial;
	ULONG left = 99;

	(void)state;
	log_in(app);
	con = signing_container(app, "keeps", &key);
	for (ULONG i = 1; i <= TRIES; i++) {
		assert_int_equal(
		    m->VerifyPIN(app, USER_TYPE, S("wrong-one"), &left), SAR_PIN_INCORRECT);
		assert_int_equal(left, TRIES - i);
	}
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, S(USER), &left), SAR_PIN_LOCKED);
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(
	    m->ChangePIN(app, USER_TYPE, S(USER), S("another1"), &left), SAR_PIN_LOCKED);
	assert_int_equal(
	    m->UnblockPIN(app, S("not-the-admin"), S("another1"), &left), SAR_PIN_INCORRECT);
	assert_int_equal(left, TRIES - 1);
	assert_int_equal(m->UnblockPIN(app, S(ADMIN), S("short"), &left), SAR_PIN_LEN_RANGE);
	ok(m->UnblockPIN(app, S(ADMIN), S("another1"), &left));
	assert_int_equal(left_of(app, USER_TYPE, &initial), TRIES);
	assert_int_equal(initial, FALSE);
	assert_int_equal(left_of(app, ADMIN_TYPE, NULL), TRIES);
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, S(USER), &left), SAR_PIN_INCORRECT);
	ok(m->VerifyPIN(app, USER_TYPE, S("another1"), &left));
	/* the key that was made before is the same */
	ok(m->ECCSignData(con, e, 32, &sig));
	ok(m->ECCVerify(h, &key, e, 32, &sig));
	done(h);
}

static void
pin_changes(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	BOOL initial = TRUE;
	ULONG left = 99;

	(void)state;
	assert_int_equal(
	    m->ChangePIN(app, USER_TYPE, S("wrong-one"), S("another1"), &left), SAR_PIN_INCORRECT);
	assert_int_equal(left, TRIES - 1);
	assert_int_equal(
	    m->ChangePIN(app, USER_TYPE, S(USER), S("short"), &left), SAR_PIN_LEN_RANGE);
	ok(m->ChangePIN(app, USER_TYPE, S(USER), S("another1"), &left));
	assert_int_equal(left_of(app, USER_TYPE, &initial), TRIES);
	assert_int_equal(initial, FALSE);
	assert_int_equal(m->VerifyPIN(app, USER_TYPE, S(USER), &left), SAR_PIN_INCORRECT);
	ok(m->VerifyPIN(app, USER_TYPE, S("another1"), &left));
	ok(m->ChangePIN(app, ADMIN_TYPE, S(ADMIN), S("new-admin"), &left));
	assert_int_equal(m->VerifyPIN(app, ADMIN_TYPE, S(ADMIN), &left), SAR_PIN_INCORRECT);
	ok(m->VerifyPIN(app, ADMIN_TYPE, S("new-admin"), &left));
	ok(m->UnblockPIN(app, S("new-admin"), S("yet-another"), &left));
	ok(m->VerifyPIN(app, USER_TYPE, S("yet-another"), &left));
	done(h);
}

/* The private key works for who is logged in, until it is said that he is no more. */
static void
logged_in_only(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	HCONTAINER con = NULL;
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	uint8_t e[32] = { 1 };
	ULONG left;

	(void)state;
	assert_int_equal(m->CreateContainer(app, S("c"), &con), SAR_USER_NOT_LOGGED_IN);
	ok(m->VerifyPIN(app, ADMIN_TYPE, S(ADMIN), &left));
	assert_int_equal(m->CreateContainer(app, S("c"), &con), SAR_USER_NOT_LOGGED_IN);
	log_in(app);
	con = signing_container(app, "c", &key);
	ok(m->ECCSignData(con, e, 32, &sig));
	ok(m->ClearSecureState(app));
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(m->GenECCKeyPair(con, SGD_SM2_1, &key), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(m->DeleteContainer(app, S("c")), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(
	    m->ImportCertificate(con, TRUE, (BYTE *)S("\x30\x00"), 2), SAR_USER_NOT_LOGGED_IN);
	log_in(app);
	/* closing changes nothing of it */
	ok(m->CloseContainer(con));
	ok(m->CloseApplication(app));
	ok(m->OpenApplication(h, S(APP), &app));
	ok(m->OpenContainer(app, S("c"), &con));
	ok(m->ECCSignData(con, e, 32, &sig));
	done(h);
}

static void
device_authentication(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = NULL;
	uint8_t wrong[16] = { 0 }, challenge[8];

	(void)state;
	assert_int_equal(m->CreateApplication(
			     h, S(APP), S(ADMIN), TRIES, S(USER), TRIES, SECURE_USER_ACCOUNT, &app),
	    SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(m->DeleteApplication(h, S(APP)), SAR_USER_NOT_LOGGED_IN);
	assert_int_equal(m->ChangeDevAuthKey(h, wrong, 16), SAR_USER_NOT_LOGGED_IN);
	assert_int_not_equal(m->DevAuth(h, wrong, 16), SAR_OK); /* no challenge */
	ok(m->GenRandom(h, challenge, 8));
	assert_int_equal(m->DevAuth(h, wrong, 15), SAR_INDATALENERR);
	assert_int_equal(m->DevAuth(h, NULL, 16), SAR_INVALIDPARAMERR);
	assert_int_not_equal(m->DevAuth(h, wrong, 16), SAR_OK);
	authenticate(h);
	assert_int_equal(m->ChangeDevAuthKey(h, wrong, 8), SAR_INDATALENERR);
	ok(m->ChangeDevAuthKey(h, wrong, 16));
	memcpy(wrong, place()->auth_key, 16);
	memset(place()->auth_key, 0, 16);
	authenticate(h);
	ok(m->ChangeDevAuthKey(h, wrong, 16));
	memcpy(place()->auth_key, wrong, 16);
	(void)application(h);
	done(h);
}

/*
 * In another process, a wrong PIN; ended after so many microseconds.  A try that may have been
 * compared is a try that is spent.
 */
static bool
try_and_kill(unsigned us)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		HAPPLICATION app = NULL;
		DEVHANDLE h = connected();
		ULONG left;

		if (place()->m.OpenApplication(h, S(APP), &app) == SAR_OK)
			(void)place()->m.VerifyPIN(app, USER_TYPE, S("wrong-one"), &left);
		_exit(7);
	}
	(void)usleep(us);
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status);
}

static void
killed_in_a_try(void **state)
{
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	bool in_between = false;
	unsigned us = 0;
	ULONG left;

	(void)state;
	for (int i = 0; i < 300 && !in_between; i++) {
		const bool answered = try_and_kill(us);

		left = left_of(app, USER_TYPE, NULL);
		assert_in_range(left, TRIES - 1, TRIES);
		if (answered)
			assert_int_equal(left, TRIES - 1);
		in_between = !answered && left == TRIES - 1;
		us = answered ? us - us / 8 : us + 5 * 1000; /* how long it takes depends */
		if (left != TRIES)
			log_in(app);
	}
	assert_true(in_between);
	done(h);
}

/* Two processes at wrong PINs at once: none is lost, none counted twice. */
static void
two_processes(void **state)
{
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	pid_t children[2];
	int status;

	(void)state;
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			HAPPLICATION mine = NULL;
			DEVHANDLE d = connected();
			ULONG left;
			int bad = 0;

			if (place()->m.OpenApplication(d, S(APP), &mine) != SAR_OK)
				_exit(1);
			for (int k = 0; k < 2; k++)
				bad += place()->m.VerifyPIN(mine, USER_TYPE, S("wrong-one"),
					   &left) == SAR_PIN_INCORRECT;
			_exit(bad == 2 ? 0 : 2);
		}
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(left_of(app, USER_TYPE, NULL), TRIES - 4);
	done(h);
}

/* A child has neither the parent's handles nor its log-in. */
static void
child_has_nothing(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	HCONTAINER con;
	uint8_t e[32] = { 1 };
	pid_t child;
	int status;

	(void)state;
	if (!place()->software)
		skip();
	log_in(app);
	con = signing_container(app, "c", &key);
	child = fork();
	if (child == 0) {
		int bad = m->ECCSignData(con, e, 32, &sig) != SAR_INVALIDHANDLEERR;

		h = connected();
		bad |= m->OpenApplication(h, S(APP), &app) != SAR_OK ||
		       m->OpenContainer(app, S("c"), &con) != SAR_OK ||
		       m->ECCSignData(con, e, 32, &sig) != SAR_USER_NOT_LOGGED_IN;
		_exit(bad);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ok(m->ECCSignData(con, e, 32, &sig));
	done(h);
}

/* Ended at any moment of its writing, what was written before is there. */
static void
killed_in_a_write(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	HCONTAINER con;
	uint8_t e[32] = { 1 };
	int status;

	(void)state;
	log_in(app);
	con = signing_container(app, "kept", &key);
	for (unsigned ms = 150; ms < 400; ms += 50) {
		const pid_t child = fork();

		if (child == 0) {
			DEVHANDLE d = connected();
			HAPPLICATION mine = NULL;
			HCONTAINER c;
			ULONG left;

			(void)m->OpenApplication(d, S(APP), &mine);
			(void)m->VerifyPIN(mine, USER_TYPE, S(USER), &left);
			for (;;) {
				(void)m->CreateContainer(mine, S("x"), &c);
				(void)m->DeleteContainer(mine, S("x"));
			}
		}
		(void)usleep(ms * 1000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		ok(m->ECCSignData(con, e, 32, &sig));
		ok(m->ECCVerify(h, &key, e, 32, &sig));
	}
	done(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_authentication),
		cmocka_unit_test(pin_right_and_wrong),
		cmocka_unit_test(pin_locks_and_unblocks),
		cmocka_unit_test(pin_changes),
		cmocka_unit_test(logged_in_only),
		cmocka_unit_test(killed_in_a_try),
		cmocka_unit_test(two_processes),
		cmocka_unit_test(child_has_nothing),
		cmocka_unit_test(killed_in_a_write),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
