/* GM/T 0016-2012 section 7.3. */
#include <string.h>

#include "soft/call.h"
#include "soft/make.h"
#include "soft/names.h"

/* A handle for it, on the connection. */
static ULONG
app_handle(struct call *c, const struct app *a, HAPPLICATION *out)
{
	struct object *o;
	const ULONG rv = call_new(c, KIND_APP, c->o, &o);

	if (rv != SAR_OK)
		return rv;
	memcpy(o->app, a->id, ID_LEN);
	*out = object_handle(o);
	return SAR_OK;
}

ULONG DEVAPI
SKF_CreateApplication(DEVHANDLE hDev, LPSTR szAppName, LPSTR szAdminPin, DWORD dwAdminPinRetryCount,
    LPSTR szUserPin, DWORD dwUserPinRetryCount, DWORD dwCreateFileRights,
    HAPPLICATION *phApplication)
{
	const struct app_wanted w = { .name = szAppName,
		.pins = { szAdminPin, szUserPin },
		.tries = { dwAdminPinRetryCount, dwUserPinRetryCount },
		.file_rights = dwCreateFileRights };
	struct app *a = NULL;
	struct call c;
	ULONG rv;

	if (szAppName == NULL || szAdminPin == NULL || szUserPin == NULL || phApplication == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_AUTH | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = make_app(&c.device->disk, c.state, &w, &a);
	if (rv == SAR_OK)
		rv = app_handle(&c, a, phApplication);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_EnumApplication(DEVHANDLE hDev, LPSTR szAppName, ULONG *pulSize)
{
	struct uk_buf names;
	struct call c;
	ULONG rv;

	if (pulSize == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, 0);
	if (rv != SAR_OK)
		return rv;
	uk_buf_init(&names, APPS_MAX * (APP_NAME_MAX + 1) + 2);
	for (size_t i = 0; i < c.state->n_apps; i++)
		name_put(&names, c.state->apps[i]->name);
	rv = name_give(&names, szAppName, pulSize);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_DeleteApplication(DEVHANDLE hDev, LPSTR szAppName)
{
	struct login *l;
	struct app *a;
	struct call c;
	ULONG rv;

	if (szAppName == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_AUTH | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	a = state_app(c.state, szAppName);
	if (a == NULL)
		return call_end(&c, SAR_APPLICATION_NOT_EXISTS);
	l = device_login(c.device, a->id);
	if (l != NULL)
		login_end(l);
	state_drop_app(c.state, a);
	return call_end(&c, call_save(&c));
}

ULONG DEVAPI
SKF_OpenApplication(DEVHANDLE hDev, LPSTR szAppName, HAPPLICATION *phApplication)
{
	const struct app *a;
	struct call c;
	ULONG rv;

	if (szAppName == NULL || phApplication == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, 0);
	if (rv != SAR_OK)
		return rv;
	a = state_app(c.state, szAppName);
	rv = a != NULL ? app_handle(&c, a, phApplication) : SAR_APPLICATION_NOT_EXISTS;
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_CloseApplication(HAPPLICATION hApplication)
{
	return call_close(__func__, hApplication, KIND_APP);
}
