/* Files, and applications. */
#include "place.h"

static void
written_and_read(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	FILEATTRIBUTE info;
	uint8_t out[64];
	char names[64];
	ULONG n = 0;

	(void)state;
	assert_int_equal(m->CreateFile(app, S("f"), 50, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT),
	    SAR_USER_NOT_LOGGED_IN);
	log_in(app);
	ok(m->CreateFile(app, S("f"), 50, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT));
	ok(m->CreateFile(app, S("open"), 10, SECURE_ANYONE_ACCOUNT, SECURE_ADM_ACCOUNT));
	assert_int_equal(m->CreateFile(app, S("f"), 5, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT),
	    SAR_FILE_ALREADY_EXIST);
	assert_int_equal(m->CreateFile(app, S("123456789012345678901234567890123"), 5,
			     SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT),
	    SAR_NAMELENERR);
	assert_int_equal(
	    m->CreateFile(app, S("g"), 5, 2, SECURE_USER_ACCOUNT), SAR_INVALIDPARAMERR);
	assert_int_equal(
	    m->CreateFile(app, S("g"), 0x7fffffff, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT),
	    SAR_NO_ROOM);
	ok(m->EnumFiles(app, NULL, &n));
	assert_int_equal(n, 2 + 5 + 1);
	ok(m->EnumFiles(app, names, &n));
	assert_memory_equal(names, "f\0open\0", 8);
	ok(m->GetFileInfo(app, S("f"), &info));
	assert_string_equal(info.FileName, "f");
	assert_int_equal(info.FileSize, 50);
	assert_int_equal(info.ReadRights, SECURE_USER_ACCOUNT);
	assert_int_equal(info.WriteRights, SECURE_USER_ACCOUNT);
	ok(m->WriteFile(app, S("f"), 10, (BYTE *)S("hello"), 5));
	n = sizeof(out);
	ok(m->ReadFile(app, S("f"), 8, 9, out, &n));
	assert_int_equal(n, 9);
	assert_memory_equal(out, "\0\0hello\0\0", 9);
	n = sizeof(out);
	ok(m->ReadFile(app, S("f"), 45, 64, out, &n)); /* what there is */
	assert_int_equal(n, 5);
	n = 3;
	assert_int_equal(m->ReadFile(app, S("f"), 10, 5, out, &n), SAR_BUFFER_TOO_SMALL);
	assert_int_equal(m->ReadFile(app, S("f"), 50, 1, out, &n), SAR_INVALIDPARAMERR);
	assert_int_not_equal(m->WriteFile(app, S("f"), 48, (BYTE *)S("hello"), 5), SAR_OK);
	assert_int_not_equal(m->WriteFile(app, S("f"), 0xffffffff, (BYTE *)S("hello"), 5), SAR_OK);
	assert_int_equal(
	    m->WriteFile(app, S("none"), 0, (BYTE *)S("hello"), 5), SAR_FILE_NOT_EXIST);
	assert_int_equal(m->GetFileInfo(app, S("none"), &info), SAR_FILE_NOT_EXIST);
	assert_int_equal(m->DeleteFile(app, S("none")), SAR_FILE_NOT_EXIST);
	/* rights: the user may not write what is the administrator's */
	assert_int_equal(
	    m->WriteFile(app, S("open"), 0, (BYTE *)S("hello"), 5), SAR_USER_NOT_LOGGED_IN);
	ok(m->VerifyPIN(app, ADMIN_TYPE, S(ADMIN), &n));
	ok(m->WriteFile(app, S("open"), 0, (BYTE *)S("hello"), 5));
	ok(m->ClearSecureState(app));
	n = sizeof(out);
	assert_int_equal(m->ReadFile(app, S("f"), 10, 5, out, &n), SAR_USER_NOT_LOGGED_IN);
	ok(m->ReadFile(app, S("open"), 0, 5, out, &n));
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(m->DeleteFile(app, S("f")), SAR_USER_NOT_LOGGED_IN);
	log_in(app);
	n = sizeof(out);
	ok(m->ReadFile(app, S("f"), 10, 5, out, &n));
	assert_memory_equal(out, "hello", 5);
	ok(m->DeleteFile(app, S("f")));
	assert_int_equal(m->ReadFile(app, S("f"), 0, 1, out, &n), SAR_FILE_NOT_EXIST);
	done(h);
}

static void
never(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	uint8_t out[4];
	ULONG n = sizeof(out);

	(void)state;
	log_in(app);
	ok(m->VerifyPIN(app, ADMIN_TYPE, S(ADMIN), &n));
	ok(m->CreateFile(app, S("f"), 4, SECURE_NEVER_ACCOUNT, SECURE_USER_ACCOUNT));
	ok(m->WriteFile(app, S("f"), 0, (BYTE *)S("abcd"), 4));
	n = sizeof(out);
	assert_int_not_equal(m->ReadFile(app, S("f"), 0, 4, out, &n), SAR_OK);
	done(h);
}

static void
applications(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app, again;
	char names[256];
	ULONG n = 0;

	(void)state;
	app = application(h);
	ok(m->EnumApplication(h, NULL, &n));
	assert_in_range(n, sizeof(APP) + 1, sizeof(names));
	ok(m->EnumApplication(h, names, &n));
	assert_int_equal(names[n - 1], '\0');
	assert_int_equal(m->CreateApplication(h, S(APP), S(ADMIN), TRIES, S(USER), TRIES,
			     SECURE_USER_ACCOUNT, &again),
	    SAR_APPLICATION_EXISTS);
	assert_int_equal(m->CreateApplication(h, S("x"), S("short"), TRIES, S(USER), TRIES,
			     SECURE_USER_ACCOUNT, &again),
	    SAR_PIN_LEN_RANGE);
	assert_int_equal(m->CreateApplication(h, S(""), S(ADMIN), TRIES, S(USER), TRIES,
			     SECURE_USER_ACCOUNT, &again),
	    SAR_APPLICATION_NAME_INVALID);
	assert_int_equal(m->CreateApplication(
			     h, S("x"), S(ADMIN), 0, S(USER), TRIES, SECURE_USER_ACCOUNT, &again),
	    SAR_INVALIDPARAMERR);
	assert_int_equal(m->OpenApplication(h, S("none"), &again), SAR_APPLICATION_NOT_EXISTS);
	assert_int_equal(m->DeleteApplication(h, S("none")), SAR_APPLICATION_NOT_EXISTS);
	ok(m->OpenApplication(h, S(APP), &again));
	assert_ptr_not_equal(app, again);
	ok(m->CloseApplication(app));
	assert_int_equal(m->CloseApplication(app), SAR_INVALIDHANDLEERR);
	ok(m->EnumContainer(again, NULL, &n));
	/* made anew: the log-in and the handle of the old one are worth nothing */
	log_in(again);
	ok(m->DeleteApplication(h, S(APP)));
	assert_int_equal(m->EnumContainer(again, NULL, &n), SAR_INVALIDHANDLEERR);
	app = application(h);
	assert_int_equal(m->EnumContainer(again, NULL, &n), SAR_INVALIDHANDLEERR);
	assert_int_equal(m->CreateContainer(app, S("c"), &again), SAR_USER_NOT_LOGGED_IN);
	done(h);
}

/* The memory of a UKEY ends; what did not fit changes nothing. */
static void
full(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	HAPPLICATION app = application(h);
	char name[] = "f0";
	DEVINFO before, after;
	ULONG rv = SAR_OK;
	HCONTAINER con;

	(void)state;
	if (!place()->software)
		skip();
	log_in(app);
	for (int i = 0; i < 10 && rv == SAR_OK; i++) {
		name[1] = (char)('0' + i);
		ok(m->GetDevInfo(h, &before));
		rv = m->CreateFile(app, name, 200 * 1024, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT);
	}
	assert_int_equal(rv, SAR_NO_ROOM);
	assert_in_range(before.FreeSpace, 1, 200 * 1024);
	ok(m->GetDevInfo(h, &after));
	assert_int_equal(before.FreeSpace, after.FreeSpace);
	assert_int_equal(m->DeleteFile(app, name), SAR_FILE_NOT_EXIST);
	ok(m->DeleteFile(app, S("f0")));
	rv = SAR_OK;
	for (int i = 0; i < 100 && rv == SAR_OK; i++) {
		char con_name[] = { (char)('A' + i / 10), (char)('0' + i % 10), '\0' };

		rv = m->CreateContainer(app, con_name, &con);
	}
	assert_int_equal(rv, SAR_REACH_MAX_CONTAINER_COUNT);
	done(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(never),
		cmocka_unit_test(applications),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
