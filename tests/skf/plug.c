/* UKEYs come, go, are locked, and say what they are. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "place.h"

static void
listed_and_connected(void **state)
{
	const struct skf *m = &place()->m;
	char names[1024];
	DEVHANDLE h, again;
	ULONG n = 0, dev = 9;

	(void)state;
	ok(m->EnumDev(TRUE, NULL, &n));
	assert_in_range(n, 3, sizeof(names));
	n--;
	assert_int_equal(m->EnumDev(TRUE, names, &n), SAR_BUFFER_TOO_SMALL);
	ok(m->EnumDev(TRUE, names, &n));
	assert_int_equal(names[n - 1], '\0');
	assert_int_equal(names[n - 2], '\0');
	ok(m->GetDevState(names, &dev));
	assert_int_equal(dev, DEV_PRESENT_STATE);
	h = connected();
	again = connected();
	assert_ptr_not_equal(h, again);
	ok(m->DisConnectDev(again));
	assert_int_equal(m->DisConnectDev(again), SAR_INVALIDHANDLEERR);
	ok(m->DisConnectDev(h));
	assert_int_not_equal(m->ConnectDev(S("no such key"), &h), SAR_OK);
	assert_int_not_equal(m->ConnectDev(S("../keys"), &h), SAR_OK);
	assert_int_not_equal(m->ConnectDev(S(""), &h), SAR_OK);
}

static void
says_what_it_is(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	DEVINFO info;
	uint8_t guard[1024];
	char label[32];

	(void)state;
	memset(guard, 0xee, sizeof(guard));
	ok(m->GetDevInfo(h, (DEVINFO *)(void *)guard));
	assert_int_equal(guard[sizeof(DEVINFO)], 0xee);
	memcpy(&info, guard, sizeof(info));
	assert_int_equal(info.DevAuthAlgId, SGD_SM4_ECB);
	assert_true((info.AlgHashCap & SGD_SM3) != 0);
	assert_true(info.SerialNumber[0] != '\0');
	if (place()->software)
		assert_non_null(strstr(info.Manufacturer, "SOFTWARE"));
	memcpy(label, info.Label, sizeof(label));
	ok(m->SetLabel(h, S("\xe9\x92\xa5\xe5\x8c\x99 one")));
	ok(m->GetDevInfo(h, &info));
	assert_string_equal(info.Label, "\xe9\x92\xa5\xe5\x8c\x99 one");
	assert_int_not_equal(m->SetLabel(h, S("12345678901234567890123456789012")), SAR_OK);
	ok(m->SetLabel(h, label));
	ok(m->DisConnectDev(h));
}

static void
transmits(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected();
	uint8_t challenge[] = { 0, 0x84, 0, 0, 8 }, unknown[] = { 0, 0xee, 0, 0 }, out[64];
	ULONG n = sizeof(out);

	(void)state;
	ok(m->Transmit(h, challenge, sizeof(challenge), out, &n));
	assert_int_equal(n, 10);
	assert_memory_equal(out + 8, "\x90\x00", 2);
	n = 3;
	assert_int_equal(
	    m->Transmit(h, challenge, sizeof(challenge), out, &n), SAR_BUFFER_TOO_SMALL);
	n = sizeof(out);
	ok(m->Transmit(h, unknown, sizeof(unknown), out, &n));
	assert_int_equal(n, 2);
	assert_int_not_equal(out[0], 0x90);
	ok(m->DisConnectDev(h));
}

/* Another process waits while this one has it, and gets its turn. */
static void
locked(void **state)
{
	const struct skf *m = &place()->m;
	DEVHANDLE h = connected(), mine;
	pid_t child;
	int status;

	(void)state;
	ok(m->LockDev(h, 1000));
	mine = connected();
	assert_int_equal(m->LockDev(mine, 50), SAR_TIMEOUTERR);
	assert_int_not_equal(m->UnlockDev(mine), SAR_OK);
	child = fork();
	if (child == 0) {
		DEVHANDLE other = connected();
		int bad = m->LockDev(other, 50) != SAR_TIMEOUTERR;

		bad |= m->LockDev(other, 0xFFFFFFFF) != SAR_OK;
		bad |= m->UnlockDev(other) != SAR_OK;
		_exit(bad);
	}
	(void)usleep(200 * 1000);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	ok(m->UnlockDev(h));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_not_equal(m->UnlockDev(h), SAR_OK);
	ok(m->LockDev(mine, 1000));
	ok(m->DisConnectDev(mine)); /* lets go */
	ok(m->LockDev(h, 1000));
	ok(m->UnlockDev(h));
	ok(m->DisConnectDev(h));
}

struct waiter {
	char name[256];
	ULONG n;
	ULONG event;
	ULONG rv;
};

static void *
wait_for(void *p)
{
	struct waiter *w = p;

	w->n = sizeof(w->name);
	w->rv = place()->m.WaitForDevEvent(w->name, &w->n, &w->event);
	return NULL;
}

static void
begin(pthread_t *t, struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(pthread_create(t, NULL, wait_for, w), 0);
	(void)usleep(100 * 1000);
	assert_int_equal(pthread_tryjoin_np(*t, NULL), EBUSY);
}

/* Who is about to wait is not waiting yet: until it has an effect. */
static void
cancel(pthread_t t)
{
	do {
		ok(place()->m.CancelWaitForDevEvent());
		(void)usleep(20 * 1000);
	} while (pthread_tryjoin_np(t, NULL) != 0);
}

static void
waits_for_events(void **state)
{
	const struct skf *m = &place()->m;
	struct waiter w;
	pthread_t t;
	ULONG n = 0, dev = 9;
	DEVHANDLE h;

	(void)state;
	if (place()->remove == NULL)
		skip();
	h = connected();
	ok(m->DisConnectDev(h));
	begin(&t, &w);
	cancel(t); /* from here on nothing is missed */
	assert_int_not_equal(w.rv, SAR_OK);
	begin(&t, &w);
	place_pull();
	assert_int_equal(pthread_join(t, NULL), 0);
	ok(w.rv);
	assert_int_equal(w.event, DEV_EVENT_REMOVE);
	assert_string_equal(w.name, place()->name);
	assert_int_equal(w.n, strlen(w.name) + 1);
	ok(m->GetDevState(w.name, &dev));
	assert_int_equal(dev, DEV_ABSENT_STATE);
	assert_int_not_equal(m->ConnectDev(w.name, &h), SAR_OK);
	ok(m->EnumDev(FALSE, NULL, &n));
	begin(&t, &w);
	place_plug();
	assert_int_equal(pthread_join(t, NULL), 0);
	ok(w.rv);
	assert_int_equal(w.event, DEV_EVENT_INSERT);
	/* a cancellation that nobody waited for is no cancellation of the next wait */
	ok(m->CancelWaitForDevEvent());
	begin(&t, &w);
	cancel(t);
	assert_int_not_equal(w.rv, SAR_OK);
	assert_int_equal(m->WaitForDevEvent(w.name, NULL, &w.event), SAR_INVALIDPARAMERR);
}

/* What was open is gone, also when the key is in again. */
static void
pulled(void **state)
{
	const struct skf *m = &place()->m;
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig;
	HAPPLICATION app;
	HCONTAINER con;
	uint8_t e[32] = { 1 };
	HANDLE hash;
	DEVHANDLE h;
	ULONG n = 0;

	(void)state;
	if (place()->remove == NULL)
		skip();
	h = connected();
	app = application(h);
	log_in(app);
	con = signing_container(app, "c", &key);
	ok(m->DigestInit(h, SGD_SM3, NULL, NULL, 0, &hash));
	ok(m->LockDev(h, 1000));
	ok(m->ECCSignData(con, e, 32, &sig));
	place_pull();
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_DEVICE_REMOVED);
	assert_int_equal(m->EnumContainer(app, NULL, &n), SAR_DEVICE_REMOVED);
	assert_int_equal(m->DigestUpdate(hash, e, 32), SAR_DEVICE_REMOVED);
	assert_int_equal(m->LockDev(h, 1000), SAR_DEVICE_REMOVED);
	place_plug();
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_DEVICE_REMOVED);
	assert_int_equal(m->GenRandom(h, e, 8), SAR_DEVICE_REMOVED);
	ok(m->CloseHandle(hash));
	ok(m->CloseContainer(con));
	ok(m->DisConnectDev(h));
	h = connected();
	ok(m->OpenApplication(h, S(APP), &app));
	ok(m->OpenContainer(app, S("c"), &con));
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_USER_NOT_LOGGED_IN);
	log_in(app);
	ok(m->ECCSignData(con, e, 32, &sig));
	ok(m->ECCVerify(h, &key, e, 32, &sig));
	done(h);
}

/* --- of the virtual UKEY only --- */

static void
fault(const char *arguments)
{
	char command[512];

	(void)snprintf(command, sizeof(command), UKEY " soft set-fault %s one", arguments);
	assert_int_equal(system(command), 0);
}

static void *
pull_soon(void *p)
{
	(void)p;
	(void)usleep(200 * 1000);
	place_pull();
	return NULL;
}

/* A signature that takes long, and the key is pulled meanwhile. */
static void
pulled_in_an_operation(void **state)
{
	const struct skf *m = &place()->m;
	ECCPUBLICKEYBLOB key;
	ECCSIGNATUREBLOB sig = { 0 };
	uint8_t e[32] = { 1 };
	HAPPLICATION app;
	HCONTAINER con;
	DEVHANDLE h;
	pthread_t t;

	(void)state;
	if (!place()->software)
		skip();
	h = connected();
	app = application(h);
	log_in(app);
	con = signing_container(app, "c", &key);
	fault("--function SKF_ECCSignData --block 60000");
	assert_int_equal(pthread_create(&t, NULL, pull_soon, NULL), 0);
	assert_int_equal(m->ECCSignData(con, e, 32, &sig), SAR_DEVICE_REMOVED);
	assert_int_equal(pthread_join(t, NULL), 0);
	fault("--clear");
	place_plug();
	ok(m->DisConnectDev(h));
	h = connected();
	done(h);
}

static void
faults(void **state)
{
	const struct skf *m = &place()->m;
	struct timespec from, to;
	uint8_t r[8];
	DEVHANDLE h;
	pid_t child;
	int status;

	(void)state;
	if (!place()->software)
		skip();
	h = connected();
	fault("--function SKF_GenRandom --nth 2 --error SAR_GENRANDERR");
	ok(m->GenRandom(h, r, 8));
	assert_int_equal(m->GenRandom(h, r, 8), SAR_GENRANDERR);
	ok(m->GenRandom(h, r, 8));
	fault("--function SKF_GenRandom --nth 2 --block 150");
	ok(m->GenRandom(h, r, 8));
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(m->GenRandom(h, r, 8), SAR_GENRANDERR); /* the first of the two counts */
	fault("--clear");
	fault("--function SKF_GenRandom --block 150");
	ok(m->GenRandom(h, r, 8));
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(
	    (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 150);
	fault("--clear");
	fault("--function SKF_GenRandom --crash");
	child = fork();
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) != NULL)
			(void)m->GenRandom(connected(), r, 8);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fault("--clear");
	ok(m->GenRandom(h, r, 8));
	ok(m->DisConnectDev(h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_and_connected),
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(transmits),
		cmocka_unit_test(locked),
		cmocka_unit_test(waits_for_events),
		cmocka_unit_test(pulled),
		cmocka_unit_test(pulled_in_an_operation),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, place_open, place_close);
}
