#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "soft/make.h"
#include "soft/names.h"
#include "soft/pin.h"
#include "soft/place.h"

static bool
serial_free(int root, const char *serial)
{
	struct uk_buf names;
	bool taken = false;

	uk_buf_init(&names, 64u * 1024u);
	if (place_list(root, false, &names) == SAR_OK)
		for (size_t at = 0; at < names.n && !taken;
		     at += strlen((char *)names.p + at) + 1) {
			struct state *s = NULL;
			struct disk d;

			if (disk_open(root, (char *)names.p + at, &d) == SAR_OK &&
			    disk_load(&d, &s) == SAR_OK)
				taken = strcmp(s->serial, serial) == 0;
			state_free(&s);
			disk_close(&d);
		}
	uk_buf_fini(&names);
	return !taken;
}

ULONG
make_ukey(int root, const char *name, const char *label, const char *serial,
    const uint8_t auth_key[AUTH_KEY_LEN])
{
	struct state *s;
	struct disk d;
	ULONG rv;

	if (!name_ok(label, sizeof(s->label) - 1) || !name_ok(serial, sizeof(s->serial) - 1))
		return SAR_INVALIDPARAMERR;
	if (!serial_free(root, serial))
		return SAR_FILE_ALREADY_EXIST;
	rv = disk_make(root, name, &d);
	if (rv != SAR_OK)
		return rv;
	s = state_new();
	memcpy(s->label, label, strlen(label));
	memcpy(s->serial, serial, strlen(serial));
	memcpy(s->auth_key, auth_key, AUTH_KEY_LEN);
	rv = disk_save(&d, s);
	if (rv != SAR_OK) {
		(void)unlinkat(d.dir, "lock", 0);
		(void)unlinkat(root, name, AT_REMOVEDIR);
	}
	state_free(&s);
	disk_close(&d);
	return rv;
}

static ULONG
check_wanted(const struct state *s, const struct app_wanted *w)
{
	if (!name_ok(w->name, APP_NAME_MAX))
		return SAR_APPLICATION_NAME_INVALID;
	for (int t = 0; t < 2; t++) {
		const ULONG rv = pin_possible(w->pins[t]);

		if (rv != SAR_OK)
			return rv;
		if (w->tries[t] == 0 || w->tries[t] > PIN_TRIES_MAX)
			return SAR_INVALIDPARAMERR;
	}
	if (!rights_ok(w->file_rights))
		return SAR_INVALIDPARAMERR;
	if (state_app(s, w->name) != NULL)
		return SAR_APPLICATION_EXISTS;
	return s->n_apps < APPS_MAX ? SAR_OK : SAR_NO_ROOM;
}

static uint32_t
free_slot(const struct state *s)
{
	uint32_t slot = 0;

	for (size_t i = 0; i < s->n_apps; i++)
		if (s->apps[i]->slot == slot) {
			slot++;
			i = (size_t)-1; /* from the start */
		}
	return slot;
}

static ULONG
fill(struct app *a, const struct app_wanted *w)
{
	struct uk_secret *master = vault_master_new();
	ULONG rv = master != NULL && RAND_bytes(a->id, ID_LEN) == 1 ? SAR_OK : SAR_GENRANDERR;

	memcpy(a->name, w->name, strlen(w->name));
	a->file_rights = w->file_rights;
	for (uint32_t t = 0; rv == SAR_OK && t < 2; t++) {
		a->pins[t].tries = w->tries[t];
		a->pins[t].initial = 1;
		a->pins[t].log_n = w->log_n;
		rv = vault_wrap(a, t, w->pins[t], master);
	}
	if (rv == SAR_OK)
		rv = vault_protect(a, master);
	uk_secret_free(&master);
	return rv;
}

ULONG
make_app(struct disk *d, struct state *s, const struct app_wanted *w, struct app **out)
{
	const uint8_t tries[2] = { (uint8_t)w->tries[0], (uint8_t)w->tries[1] };
	struct app *a;
	ULONG rv = check_wanted(s, w);

	if (rv != SAR_OK)
		return rv;
	a = app_new();
	a->slot = free_slot(s);
	rv = fill(a, w);
	if (rv == SAR_OK)
		rv = disk_set_tries(d, a, tries);
	if (rv != SAR_OK) {
		app_free(&a);
		return rv;
	}
	s->apps[s->n_apps++] = a;
	*out = a;
	return disk_save(d, s);
}

ULONG
make_app_in(int root, const char *name, const struct app_wanted *w)
{
	struct state *s = NULL;
	struct app *a;
	struct disk d;
	ULONG rv = disk_open(root, name, &d);

	if (rv == SAR_OK)
		rv = disk_lock(&d, true);
	if (rv == SAR_OK)
		rv = disk_load(&d, &s);
	if (rv == SAR_OK)
		rv = make_app(&d, s, w, &a);
	state_free(&s);
	disk_close(&d);
	return rv;
}
