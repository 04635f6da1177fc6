/* The state of a virtual UKEY, on disk and off it; and the lines of faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "soft/fault.h"
#include "soft/vault.h"

static void
fill(struct uk_buf *b, size_t n, uint8_t with)
{
	uint8_t *p = uk_buf_room(b, n);

	assert_non_null(p);
	memset(p, with, n);
	uk_buf_add(b, n);
}

static struct app *
some_app(const char *name, uint32_t slot)
{
	struct app *a = app_new();
	struct container *c;
	struct file *f;

	memset(a->id, (int)slot + 1, ID_LEN);
	memcpy(a->name, name, strlen(name));
	a->slot = slot;
	a->file_rights = SECURE_ANYONE_ACCOUNT;
	for (int t = 0; t < 2; t++) {
		a->pins[t].log_n = 10;
		a->pins[t].tries = 10;
		a->pins[t].initial = 1;
	}
	c = &a->containers[a->n_containers++];
	container_init(c);
	memcpy(c->name, "c", 1);
	c->type = CONTAINER_ECC;
	fill(&c->pairs[USE_SIGN].public, SM2_PUBLIC_LEN, 1);
	fill(&c->pairs[USE_SIGN].private, 32 + SEALED_MORE, 2);
	fill(&c->certificates[USE_ENCRYPT], 300, 3);
	f = &a->files[a->n_files++];
	file_init(f);
	memcpy(f->name, "f", 1);
	f->size = 5;
	f->read = SECURE_USER_ACCOUNT;
	f->sealed = true;
	fill(&f->data, 5 + SEALED_MORE, 4);
	return a;
}

static struct state *
some_state(void)
{
	struct state *s = state_new();

	memcpy(s->label, "label", 5);
	memcpy(s->serial, "42", 2);
	s->apps[s->n_apps++] = some_app("one", 0);
	s->apps[s->n_apps++] = some_app("two", 3);
	return s;
}

static void
again_the_same(void **state)
{
	struct state *s = some_state(), *t = NULL;
	struct uk_buf a, b;

	(void)state;
	assert_int_equal(state_write(s, &a), SAR_OK);
	assert_int_equal(state_read(uk_buf_span(&a), &t), SAR_OK);
	assert_int_equal(state_write(t, &b), SAR_OK);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	assert_string_equal(t->label, "label");
	assert_non_null(state_app(t, "two"));
	assert_null(state_app(t, "three"));
	assert_int_equal(app_container(t->apps[1], "c")->certificates[USE_ENCRYPT].n, 300);
	state_drop_app(t, t->apps[0]);
	assert_non_null(state_app(t, "two"));
	app_drop_container(t->apps[0], &t->apps[0]->containers[0]);
	app_drop_file(t->apps[0], &t->apps[0]->files[0]);
	uk_buf_fini(&b);
	assert_int_equal(state_write(t, &b), SAR_OK);
	state_free(&s);
	state_free(&t);
	uk_buf_fini(&a);
	uk_buf_fini(&b);
}

static void
sum(struct uk_buf *b)
{
	(void)SHA256(b->p, b->n - SHA256_DIGEST_LENGTH, b->p + b->n - SHA256_DIGEST_LENGTH);
}

/* Every byte that is another one is seen; with a sum that fits, nothing worse than a refusal. */
static void
damaged(void **state)
{
	struct state *s = some_state(), *t = NULL;
	size_t refused = 0;
	struct uk_buf a;

	(void)state;
	assert_int_equal(state_write(s, &a), SAR_OK);
	for (size_t n = 0; n < a.n; n++)
		assert_int_equal(state_read(uk_span(a.p, n), &t), SAR_FILEERR);
	for (size_t i = 0; i < a.n; i++) {
		a.p[i] ^= 0x80;
		assert_int_equal(state_read(uk_buf_span(&a), &t), SAR_FILEERR);
		if (i < a.n - SHA256_DIGEST_LENGTH) {
			sum(&a);
			if (state_read(uk_buf_span(&a), &t) == SAR_OK)
				state_free(&t);
			else
				refused++;
			a.p[i] ^= 0x80;
			sum(&a);
		} else {
			a.p[i] ^= 0x80;
		}
	}
	assert_true(refused > 100);
	state_free(&s);
	uk_buf_fini(&a);
}

/* Neither written nor, where it could be, read. */
static void
twice(struct state *s)
{
	struct state *t = NULL;
	struct uk_buf a;

	if (state_write(s, &a) == SAR_OK)
		assert_int_equal(state_read(uk_buf_span(&a), &t), SAR_FILEERR);
	uk_buf_fini(&a);
	state_free(&s);
}

static void
doubled(void **state)
{
	struct state *s = some_state();

	(void)state;
	s->apps[1]->slot = 0;
	twice(s);
	s = some_state();
	memcpy(s->apps[1]->name, "one", 4);
	twice(s);
	s = some_state();
	s->apps[0]->pins[0].tries = 11;
	twice(s);
	s = some_state();
	s->apps[0]->pins[0].tries = 0;
	twice(s);
	s = some_state();
	s->apps[0]->pins[0].log_n = SCRYPT_LOG_N_MIN - 1;
	twice(s);
	s = some_state();
	s->apps[0]->containers[0].type = CONTAINER_RSA; /* with an SM2 key in it */
	twice(s);
	/* sealed, and for all: there would be no master key to open it with */
	s = some_state();
	s->apps[0]->files[0].read = SECURE_ANYONE_ACCOUNT;
	twice(s);
	s = some_state();
	s->apps[0]->files[0].write = SECURE_ANYONE_ACCOUNT;
	twice(s);
}

static void
no_room(void **state)
{
	struct state *s = some_state();
	struct uk_buf a;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct file *f = &s->apps[0]->files[s->apps[0]->n_files++];

		file_init(f);
		f->name[0] = (char)('g' + i);
		f->size = 200 * 1024;
		f->read = f->write = SECURE_ANYONE_ACCOUNT;
		fill(&f->data, f->size, 0);
	}
	assert_int_equal(state_write(s, &a), SAR_NO_ROOM);
	uk_buf_fini(&a);
	state_free(&s);
}

/* What one changes on the disk does not pass for the application's own. */
static void protected(void **state)
{
	struct state *s = some_state();
	struct app *a = s->apps[0];
	struct uk_secret *master = vault_master_new(), *got = NULL;
	struct uk_buf sealed, plain;

	(void)state;
	assert_int_equal(vault_protect(a, master), SAR_OK);
	assert_int_equal(vault_check(a, master), SAR_OK);
	a->containers[0].certificates[USE_ENCRYPT].p[7] ^= 1;
	assert_int_equal(vault_check(a, master), SAR_FILEERR);
	a->containers[0].certificates[USE_ENCRYPT].p[7] ^= 1;
	a->pins[USER_TYPE].initial = 0;
	assert_int_equal(vault_check(a, master), SAR_FILEERR);
	assert_int_equal(vault_wrap(a, USER_TYPE, "user-pin", master), SAR_OK);
	assert_int_equal(vault_wrap(a, ADMIN_TYPE, "admin-pin", master), SAR_OK);
	assert_int_equal(vault_unwrap(a, USER_TYPE, "user-pix", &got), SAR_PIN_INCORRECT);
	/* one PIN's record in the place of the other's */
	a->pins[ADMIN_TYPE] = a->pins[USER_TYPE];
	assert_int_equal(vault_unwrap(a, ADMIN_TYPE, "user-pin", &got), SAR_PIN_INCORRECT);
	assert_int_equal(vault_unwrap(a, USER_TYPE, "user-pin", &got), SAR_OK);
	assert_true(uk_secret_eq(got, master));
	uk_buf_init(&sealed, 100);
	uk_buf_init(&plain, 100);
	assert_int_equal(
	    vault_seal(master, uk_span_str("a"), uk_span_str("secret"), &sealed), SAR_OK);
	assert_int_equal(
	    vault_open(master, uk_span_str("b"), uk_buf_span(&sealed), &plain), SAR_FILEERR);
	assert_int_equal(
	    vault_open(master, uk_span_str("a"), uk_buf_span(&sealed), &plain), SAR_OK);
	assert_memory_equal(plain.p, "secret", 6);
	assert_int_equal(
	    vault_open(master, uk_span_str("a"), uk_span(sealed.p, 27), &plain), SAR_FILEERR);
	uk_buf_fini(&sealed);
	uk_buf_fini(&plain);
	uk_secret_free(&master);
	uk_secret_free(&got);
	state_free(&s);
}

static void
fault_lines(void **state)
{
	static const char *const bad[] = { "", "SKF_ECCSignData", "SKF_ECCSignData 0 crash",
		"SKF_ECCSignData 1", "SKF_ECCSignData 1 explode", "SKF_Nothing 1 crash",
		"SKF_ECCSignData 1 error", "SKF_ECCSignData 1 error 0",
		"SKF_ECCSignData 1 block -5", "SKF_ECCSignData 1 crash now",
		"SKF_ECCSignData 99999999999 crash", "SKF_ECCSignData x crash" };
	struct uk_buf out;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(fault_read(uk_span_str(bad[i]), &f));
	assert_true(fault_read(uk_span_str("SKF_ECCSignData 2 error 0x0A000023"), &f));
	assert_int_equal(f.nth, 2);
	assert_int_equal(f.value, SAR_DEVICE_REMOVED);
	uk_buf_init(&out, 100);
	fault_print(&f, &out);
	assert_string_equal(uk_buf_str(&out), "SKF_ECCSignData 2 error 0x0A000023\n");
	uk_buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(again_the_same),
		cmocka_unit_test(damaged),
		cmocka_unit_test(doubled),
		cmocka_unit_test(no_room),
		cmocka_unit_test(protected),
		cmocka_unit_test(fault_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
