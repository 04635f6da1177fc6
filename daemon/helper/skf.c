#include <stdlib.h>

#include "helper/skf_backend.h"

static void
skf_close(struct token_store *b)
{
	struct skf_module *m = skf_cast(b);

	skf_slots_drop(m);
	skf_lib_close(&m->lib);
	free(m);
}

static enum uk_rc
skf_open(
    const char *path, const struct uk_log *log, struct token_store **out, struct token_fault *f)
{
	struct skf_module *m = uk_xalloc(sizeof(*m));

	/* Some vendors' libraries open windows of their own; "wayland-0" is tried without asking.
	 */
	(void)setenv("WAYLAND_DISPLAY", "", 1);
	m->base.ops = &skf_ops;
	m->log = log;
	if (skf_lib_open(path, log, &m->lib, f) != UK_OK) {
		skf_close(&m->base);
		return f->rc;
	}
	*out = &m->base;
	return UK_OK;
}

static enum uk_rc
skf_list(struct token_store *b, struct token_list *out, struct token_fault *f)
{
	struct skf_module *m = skf_cast(b);
	const enum uk_rc rc = skf_slots_refresh(m, f);

	if (rc != UK_OK)
		return rc;
	out->n = m->n_slots;
	for (size_t i = 0; i < m->n_slots; i++)
		out->tokens[i] = m->slots[i]->info;
	return UK_OK;
}

const struct token_ops skf_ops = {
	.name = "skf",
	.open = skf_open,
	.close = skf_close,
	.list = skf_list,
	.objects = skf_objects,
	.login = skf_login,
	.logout = skf_logout,
	.sign = skf_sign,
	.keygen = skf_keygen,
	.put_cert = skf_put_cert,
	.del_cert = skf_del_cert,
	.del_key = skf_del_key,
	.prepare = skf_prepare,
	.change_pin = skf_change_pin,
	.unblock = skf_unblock,
	.decrypt = skf_decrypt,
	.unseal = skf_unseal,
	.put_key = skf_put_key,
};
