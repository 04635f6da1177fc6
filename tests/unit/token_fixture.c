#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "token_fixture.h"
#include "uk/config.h"

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(uk_file_write(path, 0600, uk_span_str(text), NULL), UK_OK);
}

static void
make_store(const char *dir, const char *name)
{
	char conf[512], tokens[256], file[64];

	(void)snprintf(tokens, sizeof(tokens), "%s/%s", dir, name);
	assert_int_equal(mkdir(tokens, 0700), 0);
	(void)snprintf(conf, sizeof(conf),
	    "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens);
	(void)snprintf(file, sizeof(file), "%s.conf", name);
	write_file(dir, file, conf);
}

static void
set_env(const char *name, const char *dir, const char *file)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	assert_int_equal(setenv(name, path, 1), 0);
}

int
fixture_setup(void **state)
{
	struct fixture *f = uk_xalloc(sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/ukey-token-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	make_store(f->dir, "plain");
	make_store(f->dir, "faulty");
	set_env("SOFTHSM2_CONF", f->dir, "plain.conf");
	set_env("UKEY_FAULT_CONF", f->dir, "faulty.conf");
	set_env("UKEY_FAULT_FILE", f->dir, "rules");
	assert_int_equal(setenv("UKEY_FAULT_MODULE", SOFTHSM_MODULE, 1), 0);
	fixture_rules(f, "");
	uk_log_init(&f->log, "test");
	f->log.level = getenv("UKEY_TEST_LOG") != NULL ? UK_LOG_DEBUG : UK_LOG_ERROR;
	f->loop = loop_poll_new();
	*state = f;
	return 0;
}

void
elsewhere_run(char *const argv[])
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) != NULL)
			(void)execvp(argv[0], argv);
		_exit(127);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char *const rm[] = { (char[]){ "rm" }, (char[]){ "-rf" }, f->dir, NULL };

	token_client_free(&f->client);
	loop_poll_free(&f->loop);
	elsewhere_run(rm);
	free(f);
	return 0;
}

static void
on_change(void *ctx, enum token_change what, const struct token_info *token)
{
	struct fixture *f = ctx;

	assert_true(f->n_events < sizeof(f->events) / sizeof(f->events[0]));
	f->events[f->n_events++] = (struct event){ what, *token };
}

void
fixture_start_with(struct fixture *f, const struct token_module *modules, size_t n)
{
	struct token_call list = { .op = TOKEN_LIST };
	struct answer a;

	assert_int_equal(token_client_new(f->loop, &f->log, UKEY_TOKEN, modules, n, on_change, f,
			     &f->client, NULL),
	    UK_OK);
	fixture_call(f, &list, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	answer_fini(&a);
}

void
fixture_start(struct fixture *f)
{
	const struct token_module module = { .path = SOFTHSM_MODULE, .kind = "pkcs11" };

	fixture_start_with(f, &module, 1);
}

void
fixture_start_faulty(struct fixture *f, bool plain_too)
{
	const struct token_module modules[] = { { .path = FAULT_MODULE, .kind = "pkcs11" },
		{ .path = SOFTHSM_MODULE, .kind = "pkcs11" } };

	fixture_start_with(f, modules, plain_too ? 2 : 1);
}

void
fixture_rules(const struct fixture *f, const char *rules)
{
	write_file(f->dir, "rules", rules);
}

static void
on_done(void *ctx, const struct uk_err *err, const struct token_reply *reply)
{
	struct answer *a = ctx;

	assert_false(a->done);
	a->done = true;
	a->rc = err != NULL ? err->rc : UK_OK;
	(void)snprintf(a->reason, sizeof(a->reason), "%s", err != NULL ? uk_err_reason(err) : "");
	a->tries = reply->tries;
	a->so_now = reply->so_now;
	(void)snprintf(
	    a->token_id, sizeof(a->token_id), "%s", reply->token_id != NULL ? reply->token_id : "");
	(void)snprintf(
	    a->key_id, sizeof(a->key_id), "%s", reply->key_id != NULL ? reply->key_id : "");
	uk_buf_put(&a->data, reply->data);
	a->n_tokens = reply->n_tokens;
	a->objects = uk_xalloc(reply->n_objects * sizeof(*a->objects));
	a->bytes = uk_xalloc(reply->n_objects * sizeof(*a->bytes));
	for (; a->n_objects < reply->n_objects; a->n_objects++) {
		struct uk_buf *b = &a->bytes[a->n_objects];

		uk_buf_init(b, 65536);
		uk_buf_put(b, reply->objects[a->n_objects].data);
		a->objects[a->n_objects] = reply->objects[a->n_objects];
		a->objects[a->n_objects].data = uk_buf_span(b);
	}
}

struct token_request *
fixture_send(
    struct fixture *f, const struct token_call *call, int64_t deadline_ms, struct answer *a)
{
	struct token_request *r;

	memset(a, 0, sizeof(*a));
	uk_buf_init(&a->data, 65536);
	r = token_call(f->client, call, deadline_ms, on_done, a);
	assert_non_null(r);
	assert_false(a->done);
	return r;
}

void
fixture_wait(struct fixture *f, const struct answer *a)
{
	assert_true(loop_poll_run(f->loop, &a->done, FIXTURE_WAIT));
}

void
fixture_call(
    struct fixture *f, const struct token_call *call, int64_t deadline_ms, struct answer *a)
{
	(void)fixture_send(f, call, deadline_ms, a);
	fixture_wait(f, a);
}

void
answer_fini(struct answer *a)
{
	uk_buf_fini(&a->data);
	for (size_t i = 0; i < a->n_objects; i++)
		uk_buf_fini(&a->bytes[i]);
	free(a->bytes);
	free(a->objects);
	a->bytes = NULL;
	a->objects = NULL;
	a->n_objects = 0;
}

enum uk_rc
fixture_login(struct fixture *f, const char *token, const char *pin)
{
	struct uk_secret *secret = uk_secret_new(uk_span_str(pin));
	struct token_call call = { .op = TOKEN_LOGIN, .token = token, .pin = secret };
	struct answer a;

	fixture_call(f, &call, FIXTURE_WAIT, &a);
	uk_secret_free(&secret);
	answer_fini(&a);
	return a.rc;
}

void
fixture_keygen(
    struct fixture *f, const char *token, enum uk_keyalg alg, char key_id[65], struct uk_buf *spki)
{
	struct token_call call = {
		.op = TOKEN_KEYGEN, .token = token, .alg = alg, .label = "签名"
	};
	struct answer a;

	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	assert_int_equal(strlen(a.key_id), 32);
	memcpy(key_id, a.key_id, sizeof(a.key_id));
	if (spki != NULL)
		uk_buf_put(spki, uk_buf_span(&a.data));
	answer_fini(&a);
}

enum uk_rc
fixture_sign(struct fixture *f, const char *token, const char *key_id)
{
	static const uint8_t digest[32] = { 1 };
	struct token_call call = { .op = TOKEN_SIGN,
		.token = token,
		.key_id = key_id,
		.data = { digest, sizeof(digest) } };
	struct answer a;

	fixture_call(f, &call, FIXTURE_WAIT, &a);
	answer_fini(&a);
	return a.rc;
}

const char *
fixture_token(struct fixture *f, enum token_state state)
{
	size_t n;
	const struct token_info *t = token_known(f->client, &n);

	for (size_t i = 0; i < n; i++)
		if (t[i].state == state)
			return t[i].id;
	return NULL;
}

void
fixture_prepare(struct fixture *f, const char *label, char id[65])
{
	struct uk_secret *so_pin = uk_secret_new(uk_span_str(FIXTURE_SO_PIN));
	struct uk_secret *pin = uk_secret_new(uk_span_str(FIXTURE_PIN));
	struct token_call call = { .op = TOKEN_PREPARE,
		.token = fixture_token(f, TOKEN_BLANK),
		.label = label,
		.pin = pin,
		.so_pin = so_pin };
	struct answer a;

	assert_non_null(call.token);
	fixture_call(f, &call, FIXTURE_WAIT, &a);
	assert_int_equal(a.rc, UK_OK);
	memcpy(id, a.token_id, sizeof(a.token_id));
	answer_fini(&a);
	uk_secret_free(&so_pin);
	uk_secret_free(&pin);
}

/* Such an event, at once or within the time of a few looks. */
bool
fixture_event(struct fixture *f, enum token_change what, const char *label)
{
	const bool never = false;

	for (int i = 0; i < 100; i++) {
		for (size_t k = 0; k < f->n_events; k++)
			if (f->events[k].what == what &&
			    strcmp(f->events[k].token.label, label) == 0)
				return true;
		(void)loop_poll_run(f->loop, &never, 50);
	}
	return false;
}

void
elsewhere_init_token(const char *label)
{
	char name[64];
	char *const argv[] = { (char[]){ SOFTHSM_UTIL }, (char[]){ "--init-token" },
		(char[]){ "--free" }, (char[]){ "--label" }, name, (char[]){ "--so-pin" },
		(char[]){ FIXTURE_SO_PIN }, (char[]){ "--pin" }, (char[]){ FIXTURE_PIN }, NULL };

	(void)snprintf(name, sizeof(name), "%s", label);
	elsewhere_run(argv);
}

/* A session on the first token, logged in, in a process of its own. */
static CK_FUNCTION_LIST *
open_first(const char *pin, CK_SESSION_HANDLE *session)
{
	CK_FUNCTION_LIST *m = p11_kit_module_load(SOFTHSM_MODULE, P11_KIT_MODULE_UNMANAGED);
	CK_SLOT_ID slots[8];
	CK_ULONG n = 8;

	if (m == NULL || m->C_Initialize(NULL) != CKR_OK ||
	    m->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK || n == 0 ||
	    m->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session) !=
		CKR_OK ||
	    m->C_Login(*session, CKU_USER, (CK_BYTE *)(uintptr_t)pin, strlen(pin)) != CKR_OK)
		_exit(1);
	return m;
}

void
elsewhere_set_pin(const char *from, const char *to)
{
	int status = 1;
	const pid_t pid = fork();

	if (pid == 0) {
		CK_SESSION_HANDLE s;
		CK_FUNCTION_LIST *m = open_first(from, &s);
		CK_BYTE *old = (CK_BYTE *)(uintptr_t)from, *new = (CK_BYTE *)(uintptr_t)to;

		_exit(m->C_SetPIN(s, old, strlen(from), new, strlen(to)) == CKR_OK ? 0 : 1);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static bool
decryption_key(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE s, bool ec)
{
	static CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
	CK_MECHANISM how = { ec ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_BYTE id = ec ? 0x0b : 0x0a;
	CK_ULONG bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE public[] = { { CKA_TOKEN, &yes, 1 }, { CKA_ID, &id, 1 },
		{ ec ? CKA_EC_PARAMS : CKA_MODULUS_BITS, ec ? (void *)p256 : &bits,
		    ec ? sizeof(p256) : sizeof(bits) } };
	CK_ATTRIBUTE private[] = { { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 },
		{ CKA_SENSITIVE, &yes, 1 }, { CKA_ID, &id, 1 },
		{ ec ? CKA_DERIVE : CKA_DECRYPT, &yes, 1 } };
	CK_OBJECT_HANDLE pair[2];

	return m->C_GenerateKeyPair(s, &how, public, 3, private, 5, &pair[0], &pair[1]) == CKR_OK;
}

void
elsewhere_decryption_keys(const char *pin)
{
	int status = 1;
	const pid_t pid = fork();

	if (pid == 0) {
		CK_SESSION_HANDLE s;
		CK_FUNCTION_LIST *m = open_first(pin, &s);

		_exit(decryption_key(m, s, false) && decryption_key(m, s, true) ? 0 : 1);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static bool
sealed(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h)
{
	CK_BBOOL sensitive = CK_FALSE, extractable = CK_TRUE;
	CK_BYTE value[1024];
	CK_ATTRIBUTE flags[] = { { CKA_SENSITIVE, &sensitive, 1 },
		{ CKA_EXTRACTABLE, &extractable, 1 } };
	CK_ATTRIBUTE rsa = { CKA_PRIVATE_EXPONENT, value, sizeof(value) };
	CK_ATTRIBUTE ec = { CKA_VALUE, value, sizeof(value) };

	return m->C_GetAttributeValue(s, h, flags, 2) == CKR_OK && sensitive == CK_TRUE &&
	       extractable == CK_FALSE && m->C_GetAttributeValue(s, h, &rsa, 1) != CKR_OK &&
	       m->C_GetAttributeValue(s, h, &ec, 1) != CKR_OK;
}

bool
elsewhere_is_sealed(const char *pin)
{
	int status = 1;
	const pid_t pid = fork();

	if (pid == 0) {
		CK_SESSION_HANDLE s;
		CK_FUNCTION_LIST *m = open_first(pin, &s);
		CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
		CK_ATTRIBUTE t = { CKA_CLASS, &class, sizeof(class) };
		CK_OBJECT_HANDLE h[8];
		CK_ULONG n = 0;
		bool ok;

		ok = m->C_FindObjectsInit(s, &t, 1) == CKR_OK &&
		     m->C_FindObjects(s, h, 8, &n) == CKR_OK && n != 0;
		for (CK_ULONG i = 0; ok && i < n; i++)
			ok = sealed(m, s, h[i]);
		_exit(ok ? 0 : 1);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

pid_t
helper_pid(size_t which)
{
	int pids[8] = { 0 };
	char path[64];
	FILE *f;
	int n;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	n = fscanf(f, "%d %d %d %d", &pids[0], &pids[1], &pids[2], &pids[3]);
	(void)fclose(f);
	assert_true(n > (int)which);
	return pids[which];
}
