/* What ukey-token makes of an SKF module that answers with any bytes, codes and sizes. */
#include <stdlib.h>
#include <string.h>

#include "helper/skf_backend.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct uk_span input;

static uint8_t
next(void)
{
	if (input.n == 0)
		return 0;
	input = uk_span(input.p + 1, input.n - 1);
	return input.p[-1];
}

/* Mostly that all is well; else one of the standard's codes, or none of them. */
static ULONG
code(void)
{
	const uint8_t c = next();

	return c < 192 ? SAR_OK : 0x0A000000u + (c - 191u);
}

/* Any size is asked for; what is written fits where the caller said it would. */
static ULONG
fill(void *out, ULONG *n)
{
	const ULONG room = *n;

	*n = (ULONG)next() << 8 | next();
	if (next() == 255)
		*n |= 0xff000000u;
	if (out != NULL)
		for (ULONG i = 0; i < *n && i < room; i++)
			((uint8_t *)out)[i] = next();
	return code();
}

static ULONG
handle(void **out)
{
	*out = &input;
	return code();
}

static ULONG
enum_dev(BOOL present, LPSTR out, ULONG *n)
{
	(void)present;
	return fill(out, n);
}

static ULONG
enum_names(HANDLE h, LPSTR out, ULONG *n)
{
	(void)h;
	return fill(out, n);
}

static ULONG
connect_dev(LPSTR name, DEVHANDLE *out)
{
	(void)name;
	return handle(out);
}

static ULONG
open_named(HANDLE h, LPSTR name, HANDLE *out)
{
	(void)h;
	(void)name;
	return handle(out);
}

static ULONG
close_any(HANDLE h)
{
	(void)h;
	return code();
}

static ULONG
get_info(DEVHANDLE h, DEVINFO *out)
{
	ULONG n = 400;

	(void)h;
	return fill(out, &n);
}

static ULONG
pin_info(HAPPLICATION h, ULONG type, ULONG *most, ULONG *left, BOOL *first)
{
	(void)h;
	(void)type;
	*most = next();
	*left = next();
	*first = next() & 1;
	return code();
}

static ULONG
verify_pin(HAPPLICATION h, ULONG type, LPSTR pin, ULONG *left)
{
	(void)h;
	(void)type;
	(void)pin;
	*left = next();
	return code();
}

static ULONG
export_any(HCONTAINER h, BOOL sign, BYTE *out, ULONG *n)
{
	(void)h;
	(void)sign;
	return fill(out, n);
}

static ULONG
ecc_sign(HCONTAINER h, BYTE *e, ULONG n, ECCSIGNATUREBLOB *out)
{
	ULONG room = sizeof(*out);

	(void)h;
	(void)e;
	(void)n;
	return fill(out, &room);
}

static const struct skf_quirk quirk = { NULL, { SGD_SM2_1, SGD_SM2_2 },
	{ UK_SM2_FIELD_RIGHT, UK_SM2_FIELD_LEFT }, 16, false };

static void
use(struct skf_module *m, const char *id)
{
	static const uint8_t digest[32] = { 1 };
	struct token_fault f = { 0 };
	struct uk_buf out;
	char key[65];

	uk_buf_init(&out, MESSAGE_MAX);
	(void)skf_login(&m->base, id, uk_span_str("123456"), &f);
	if (skf_objects(&m->base, id, &out, &f) == UK_OK) {
		struct uk_span records = uk_buf_span(&out);
		struct token_object o;

		/* What it says of them has to go through the wire. */
		while (message_next_object(&records, &o))
			memcpy(key, o.key_id, sizeof(key));
		if (records.n != 0)
			abort();
		if (out.n != 0)
			(void)skf_sign(
			    &m->base, id, key, uk_span(digest, sizeof(digest)), &out, &f);
	}
	uk_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct uk_log log = { .level = UK_LOG_ERROR };
	struct skf_module *m = uk_xalloc(sizeof(*m));
	struct token_list *list = uk_xalloc(sizeof(*list));
	struct token_fault f = { 0 };
	struct uk_buf record;

	input = uk_span(p, n);
	m->base.ops = &skf_ops;
	m->log = &log;
	m->lib.quirk = &quirk;
	m->lib.room = uk_xalloc(SKF_ROOM);
	m->lib.fn = (struct skf_fn){ .EnumDev = enum_dev,
		.ConnectDev = connect_dev,
		.DisConnectDev = close_any,
		.GetDevInfo = get_info,
		.EnumApplication = enum_names,
		.OpenApplication = open_named,
		.CloseApplication = close_any,
		.GetPINInfo = pin_info,
		.VerifyPIN = verify_pin,
		.EnumContainer = enum_names,
		.OpenContainer = open_named,
		.CloseContainer = close_any,
		.ExportPublicKey = export_any,
		.ExportCertificate = export_any,
		.ECCSignData = ecc_sign };
	uk_buf_init(&record, MESSAGE_MAX);
	if (skf_ops.list(&m->base, list, &f) == UK_OK)
		for (size_t i = 0; i < list->n; i++) {
			if (message_put_token(&record, &list->tokens[i]) != UK_OK)
				abort();
			use(m, list->tokens[i].id);
		}
	uk_buf_fini(&record);
	skf_slots_drop(m);
	free(m->lib.room);
	free(list);
	free(m);
	return 0;
}
