#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/skf_backend.h"
#include "token/text.h"
#include "uk/b64.h"

/* GM/T 0016 has no flag for it: the virtual UKEY says what it is by its maker's name. */
#define SOFTWARE "SOFTWARE"

/* The first 8 hex digits of SHA-256: a name of any form becomes part of an id. */
static void
tag_of(const char *name, char out[9])
{
	uint8_t hash[32];
	struct uk_buf hex;

	uk_buf_init(&hex, 8);
	uk_sha256(uk_span_str(name), hash);
	uk_hex_put(&hex, uk_span(hash, 4));
	memcpy(out, uk_buf_str(&hex), 9);
	uk_buf_fini(&hex);
}

void
skf_slot_out(struct skf_slot *s)
{
	s->info.logged_in = false;
	uk_secret_free(&s->pin);
}

static int
tries_of(ULONG remaining)
{
	return remaining <= 255 ? (int)remaining : TOKEN_TRIES_UNKNOWN;
}

ULONG
skf_slot_look(struct skf_module *m, struct skf_slot *s)
{
	union skf_cell most = { 0 }, left = { 0 }, first = { 0 };
	ULONG sar;

	left.v = UINT32_MAX;
	if (s->handle == NULL)
		return SAR_OK;
	sar = m->lib.fn.GetPINInfo(s->handle, USER_TYPE, &most.v, &left.v, &first.b);
	if (skf_is_gone(sar))
		return sar;
	s->info.tries = sar == SAR_OK ? tries_of(left.v) : TOKEN_TRIES_UNKNOWN;
	s->info.pin_initial = sar == SAR_OK && first.b != FALSE;
	s->info.state = s->info.tries == 0 ? TOKEN_PIN_LOCKED : TOKEN_READY;
	left.v = UINT32_MAX;
	sar = m->lib.fn.GetPINInfo(s->handle, ADMIN_TYPE, &most.v, &left.v, &first.b);
	s->info.so_tries = sar == SAR_OK ? tries_of(left.v) : TOKEN_TRIES_UNKNOWN;
	return skf_is_gone(sar) ? sar : SAR_OK;
}

static void
slot_close(struct skf_module *m, struct skf_slot *s)
{
	skf_slot_out(s);
	skf_containers_forget(m, s);
	if (s->handle != NULL)
		(void)m->lib.fn.CloseApplication(s->handle);
	free(s);
}

/* Forget a device and all that was open on it. */
static void
device_close(struct skf_module *m, struct skf_device *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slots[i]->device == d)
			slot_close(m, m->slots[i]);
		else
			m->slots[kept++] = m->slots[i];
	m->n_slots = kept;
	uk_buf_reset(&d->apps);
	if (d->handle != NULL)
		(void)m->lib.fn.DisConnectDev(d->handle);
	d->handle = NULL;
}

void
skf_slots_drop(struct skf_module *m)
{
	for (size_t i = 0; i < m->n_devices; i++) {
		device_close(m, &m->devices[i]);
		uk_buf_fini(&m->devices[i].apps);
	}
	m->n_devices = 0;
}

/* Serial number, then the application: a device may hold several. */
static void
name_slot(struct skf_module *m, struct skf_slot *s)
{
	const struct skf_devinfo *d = &s->device->info;
	struct token_info *t = &s->info;
	char tag[9], device[9];

	tag_of(s->app, tag);
	tag_of(s->device->name, device);
	(void)snprintf(t->id, sizeof(t->id), "%.32s/%s", d->serial[0] != '\0' ? d->serial : device,
	    s->app[0] != '\0' ? tag : "blank");
	for (size_t i = 0; i < m->n_slots; i++)
		if (strcmp(m->slots[i]->info.id, t->id) == 0)
			(void)snprintf(t->id, sizeof(t->id), "%.32s/%s/%s", d->serial, tag, device);
	memcpy(t->serial, d->serial, sizeof(t->serial));
	memcpy(t->label, d->label, sizeof(t->label));
	if (t->label[0] == '\0')
		text_copy(t->label, sizeof(t->label), uk_span_str(s->app));
	memcpy(t->model, d->issuer, sizeof(t->model));
	memcpy(t->manufacturer, d->manufacturer, sizeof(t->manufacturer));
	t->software = strncmp(d->manufacturer, SOFTWARE, sizeof(SOFTWARE) - 1) == 0;
	t->pin_min = SKF_PIN_MIN;
	t->pin_max = m->lib.quirk->pin_max;
	t->algs = skf_algs(m, d);
}

/* app "": there is none. */
static ULONG
slot_add(struct skf_module *m, struct skf_device *d, const char *app)
{
	struct skf_slot *s;
	ULONG sar = SAR_OK;

	if (m->n_slots == MESSAGE_TOKENS_MAX || strlen(app) >= sizeof(s->app))
		return SAR_OK;
	s = uk_xalloc(sizeof(*s));
	s->device = d;
	memcpy(s->app, app, strlen(app) + 1);
	s->info.state = TOKEN_BLANK;
	s->info.tries = s->info.so_tries = TOKEN_TRIES_UNKNOWN;
	name_slot(m, s);
	if (app[0] != '\0')
		sar = m->lib.fn.OpenApplication(d->handle, skf_text(app), &s->handle);
	if (sar == SAR_OK)
		sar = skf_slot_look(m, s);
	if (sar == SAR_OK)
		m->slots[m->n_slots++] = s;
	else
		slot_close(m, s);
	return sar;
}

/* The slots are made anew when the list of applications is not what it was. */
static enum uk_rc
device_look(struct skf_module *m, struct skf_device *d, struct token_fault *f)
{
	struct uk_span names;
	struct uk_buf apps;
	const char *app;
	ULONG sar = SAR_OK;
	enum uk_rc rc;

	uk_buf_init(&apps, SKF_NAMES_MAX);
	rc = skf_names(&m->lib, SKF_APPLICATIONS, d->handle, &apps, f);
	if (rc != UK_OK)
		goto out;
	if (uk_span_eq(uk_buf_span(&apps), uk_buf_span(&d->apps))) {
		for (size_t i = 0; sar == SAR_OK && i < m->n_slots; i++)
			if (m->slots[i]->device == d)
				sar = skf_slot_look(m, m->slots[i]);
		goto out;
	}
	for (size_t i = m->n_slots; i-- > 0;)
		if (m->slots[i]->device == d) {
			slot_close(m, m->slots[i]);
			m->slots[i] = m->slots[--m->n_slots];
		}
	names = uk_buf_span(&apps);
	app = skf_next(&names);
	if (app == NULL)
		sar = slot_add(m, d, "");
	for (; sar == SAR_OK && app != NULL; app = skf_next(&names))
		sar = slot_add(m, d, app);
	uk_buf_reset(&d->apps);
	uk_buf_put(&d->apps, uk_buf_span(&apps));
out:
	uk_buf_fini(&apps);
	return sar == SAR_OK ? rc : skf_fail(f, sar, "SKF_OpenApplication");
}

static enum uk_rc
device_connect(struct skf_module *m, struct skf_device *d, struct token_fault *f)
{
	const ULONG sar = m->lib.fn.ConnectDev(d->name, &d->handle);

	if (sar != SAR_OK || d->handle == NULL) {
		d->handle = NULL;
		return skf_fail(f, sar != SAR_OK ? sar : SAR_FAIL, "SKF_ConnectDev");
	}
	return skf_devinfo_read(&m->lib, d->handle, &d->info, f);
}

/* One that fails is left for the next time; the others go on. */
static void
device_refresh(struct skf_module *m, struct skf_device *d)
{
	struct token_fault f = { 0 };

	/* Put back between two looks, it has an old handle: once more with a new one. */
	for (int i = 0; i < 2 && m->lib.unfit == REASON_NONE; i++) {
		if ((d->handle != NULL || device_connect(m, d, &f) == UK_OK) &&
		    device_look(m, d, &f) == UK_OK)
			return;
		device_close(m, d);
	}
	uk_log(m->log, UK_LOG_DEBUG, "device.skipped", UK_LS("where", f.where),
	    UK_LI("native", f.native));
}

static bool
is_listed(struct uk_span names, const char *name)
{
	const char *n;

	while ((n = skf_next(&names)) != NULL)
		if (strcmp(n, name) == 0)
			return true;
	return false;
}

static struct skf_device *
device_known(struct skf_module *m, const char *name)
{
	for (size_t i = 0; i < m->n_devices; i++)
		if (strcmp(m->devices[i].name, name) == 0)
			return &m->devices[i];
	return NULL;
}

/* A place of the array stays a device's own while the device is in: slots point to it. */
static void
devices_match(struct skf_module *m, struct uk_span names)
{
	const char *name;

	for (size_t i = 0; i < m->n_devices; i++)
		if (!is_listed(names, m->devices[i].name)) {
			device_close(m, &m->devices[i]);
			m->devices[i].name[0] = '\0';
		}
	while ((name = skf_next(&names)) != NULL) {
		struct skf_device *d = device_known(m, name);

		if (d != NULL || strlen(name) >= sizeof(d->name))
			continue;
		d = device_known(m, "");
		if (d == NULL && m->n_devices < SKF_DEVICES_MAX) {
			d = &m->devices[m->n_devices++];
			uk_buf_init(&d->apps, SKF_NAMES_MAX);
		}
		if (d != NULL)
			memcpy(d->name, name, strlen(name) + 1);
	}
}

enum uk_rc
skf_slots_refresh(struct skf_module *m, struct token_fault *f)
{
	struct uk_buf names;
	enum uk_rc rc;

	if (m->lib.unfit != REASON_NONE)
		return token_fail(f, UK_E_UNSUPPORTED, m->lib.unfit, "slots");
	uk_buf_init(&names, SKF_NAMES_MAX);
	rc = skf_names(&m->lib, SKF_DEVICES, NULL, &names, f);
	/* Some say so when nothing is in. */
	if (rc == UK_E_TOKEN_REMOVED)
		rc = UK_OK;
	devices_match(m, rc == UK_OK ? uk_buf_span(&names) : uk_span(NULL, 0));
	for (size_t i = 0; i < m->n_devices; i++)
		if (m->devices[i].name[0] != '\0')
			device_refresh(m, &m->devices[i]);
	uk_buf_fini(&names);
	if (rc == UK_OK && m->lib.unfit != REASON_NONE)
		rc = token_fail(f, UK_E_UNSUPPORTED, m->lib.unfit, "slots");
	if (rc == UK_E_UNSUPPORTED)
		skf_slots_drop(m);
	return rc;
}

static struct skf_slot *
known(struct skf_module *m, const char *id)
{
	for (size_t i = 0; i < m->n_slots; i++)
		if (strcmp(m->slots[i]->info.id, id) == 0)
			return m->slots[i];
	return NULL;
}

enum uk_rc
skf_slot_find(struct skf_module *m, const char *id, struct skf_slot **out, struct token_fault *f)
{
	struct skf_slot *s = known(m, id);

	if (s == NULL) {
		const enum uk_rc rc = skf_slots_refresh(m, f);

		if (rc != UK_OK)
			return rc;
		s = known(m, id);
	}
	if (s == NULL)
		return token_fail(f, UK_E_NOT_FOUND, REASON_TOKEN_NOT_FOUND, "slot");
	*out = s;
	return UK_OK;
}

enum uk_rc
skf_slot_open(struct skf_module *m, const char *id, struct skf_slot **out, struct token_fault *f)
{
	struct skf_slot *s = NULL;
	enum uk_rc rc = skf_slot_find(m, id, &s, f);

	if (rc == UK_OK && !s->info.logged_in)
		rc = token_fail(f, UK_E_UNAUTHORIZED, REASON_NOT_LOGGED_IN, "slot");
	if (rc == UK_OK)
		*out = s;
	return rc;
}

/* The handles of a device that went are let go at the next look, which follows each failure. */
enum uk_rc
skf_slot_fail(
    struct skf_module *m, struct skf_slot *s, struct token_fault *f, ULONG sar, const char *where)
{
	const enum uk_rc rc = skf_fail(f, sar, where);

	if (skf_is_gone(sar))
		device_close(m, s->device);
	else if (sar == SAR_USER_NOT_LOGGED_IN)
		skf_slot_out(s);
	return rc;
}
