/* GM/T 0016-2012 section 7.1, without the events. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "soft/call.h"
#include "soft/limits.h"

#define FOREVER 0xFFFFFFFFu

ULONG DEVAPI
SKF_EnumDev(BOOL bPresent, LPSTR szNameList, ULONG *pulSize)
{
	char *path;
	struct uk_buf names;
	ULONG rv = SAR_READFILEERR;
	int root;

	if (pulSize == NULL)
		return SAR_INVALIDPARAMERR;
	path = place_root();
	root = place_open(path);
	uk_buf_init(&names, 64u * 1024u);
	if (root >= 0) {
		rv = place_list(root, bPresent != FALSE, &names);
		(void)close(root);
	}
	if (rv == SAR_OK)
		rv = name_give(&names, szNameList, pulSize);
	uk_buf_fini(&names);
	free(path);
	return rv;
}

ULONG DEVAPI
SKF_ConnectDev(LPSTR szName, DEVHANDLE *phDev)
{
	struct device *d = NULL;
	struct object *o;
	ULONG rv;

	if (szName == NULL || phDev == NULL || !place_name_ok(szName))
		return SAR_INVALIDPARAMERR;
	module_lock();
	rv = device_connect(szName, &d);
	if (rv == SAR_OK)
		rv = call_fault(d, __func__);
	if (rv == SAR_OK) {
		o = object_new(KIND_DEVICE, d, NULL);
		if (o != NULL)
			*phDev = object_handle(o);
		else
			rv = SAR_MEMORYERR;
	}
	module_unlock();
	return rv;
}

ULONG DEVAPI
SKF_DisConnectDev(DEVHANDLE hDev)
{
	return call_close(__func__, hDev, KIND_DEVICE);
}

ULONG DEVAPI
SKF_GetDevState(LPSTR szDevName, ULONG *pulDevState)
{
	char *path;
	int root;

	if (szDevName == NULL || pulDevState == NULL || !place_name_ok(szDevName))
		return SAR_INVALIDPARAMERR;
	path = place_root();
	root = place_open(path);
	free(path);
	if (root < 0)
		return SAR_READFILEERR;
	*pulDevState = place_exists(root, szDevName) && place_presence(root, szDevName).in
			   ? DEV_PRESENT_STATE
			   : DEV_ABSENT_STATE;
	(void)close(root);
	return SAR_OK;
}

ULONG DEVAPI
SKF_SetLabel(DEVHANDLE hDev, LPSTR szLabel)
{
	struct call c;
	ULONG rv;

	if (szLabel == NULL || !name_ok(szLabel, sizeof(c.state->label) - 1))
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	memset(c.state->label, 0, sizeof(c.state->label));
	memcpy(c.state->label, szLabel, strlen(szLabel));
	return call_end(&c, call_save(&c));
}

ULONG DEVAPI
SKF_GetDevInfo(DEVHANDLE hDev, DEVINFO *pDevInfo)
{
	static const char maker[] = "SOFTWARE TOKEN - NOT A HARDWARE KEY", issuer[] = "ukey";
	DEVINFO info = { 0 };
	struct call c;
	ULONG rv;

	if (pDevInfo == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, 0);
	if (rv != SAR_OK)
		return rv;
	info.Version = (VERSION){ 1, 0 };
	memcpy(info.Manufacturer, maker, sizeof(maker));
	memcpy(info.Issuer, issuer, sizeof(issuer));
	memcpy(info.Label, c.state->label, sizeof(info.Label));
	memcpy(info.SerialNumber, c.state->serial, sizeof(info.SerialNumber));
	info.HWVersion = info.FirmwareVersion = info.Version;
	info.AlgSymCap = SGD_SM4_ECB | SGD_SM4_CBC | SGD_SM4_CFB | SGD_SM4_OFB | SGD_SM4_MAC;
	info.AlgAsymCap = SGD_RSA | SGD_SM2_1 | SGD_SM2_2 | SGD_SM2_3;
	info.AlgHashCap = SGD_SM3 | SGD_SHA1 | SGD_SHA256;
	info.DevAuthAlgId = SGD_SM4_ECB;
	info.TotalSpace = STATE_MAX;
	info.FreeSpace = STATE_MAX - (ULONG)c.device->disk.stamp.size;
	info.MaxECCBufferSize = ECC_BUFFER_MAX;
	info.MaxBufferSize = BUFFER_MAX;
	*pDevInfo = info;
	return call_end(&c, SAR_OK);
}

/* Now or not: SAR_TIMEOUTERR. */
static ULONG
try_hold(struct call *c)
{
	struct device *d = c->device;
	ULONG rv;

	if (d->holder != NULL)
		return d->holder == c->o ? SAR_OK : SAR_TIMEOUTERR;
	rv = disk_lock(&d->disk, true);
	if (rv == SAR_OK)
		d->holder = c->o;
	return rv;
}

static bool
passed(const struct timespec *from, ULONG ms)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ms != FOREVER &&
	       (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000 >= ms;
}

ULONG DEVAPI
SKF_LockDev(DEVHANDLE hDev, ULONG ulTimeOut)
{
	struct timespec from;
	struct call c;
	ULONG rv;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	module_lock();
	rv = call_find(&c, __func__, hDev, KIND_DEVICE);
	while (rv == SAR_OK && (rv = try_hold(&c)) == SAR_TIMEOUTERR && !passed(&from, ulTimeOut)) {
		call_nap();
		rv = call_find(&c, NULL, hDev, KIND_DEVICE);
	}
	module_unlock();
	return rv;
}

ULONG DEVAPI
SKF_UnlockDev(DEVHANDLE hDev)
{
	struct call c;
	ULONG rv;

	module_lock();
	rv = call_find(&c, __func__, hDev, KIND_DEVICE);
	if (rv == SAR_OK && c.device->holder != c.o)
		rv = SAR_FAIL;
	if (rv == SAR_OK) {
		disk_unlock(&c.device->disk);
		c.device->holder = NULL;
	}
	module_unlock();
	return rv;
}

/*
 * "For testing a device only" says the standard.  What is here to be tested is that it answers:
 * GET CHALLENGE (ISO 7816-4), and a status word for everything else.
 */
static size_t
answer(const BYTE *command, ULONG n, uint8_t out[256 + 2])
{
	size_t len = 0;
	unsigned sw = 0x9000;

	if (n < 4)
		sw = 0x6700;
	else if (command[0] != 0x00)
		sw = 0x6E00;
	else if (command[1] != 0x84)
		sw = 0x6D00;
	else if (command[2] != 0 || command[3] != 0)
		sw = 0x6A86;
	else if (n != 5)
		sw = 0x6700;
	else
		len = command[4] != 0 ? command[4] : 256;
	if (len != 0 && RAND_bytes(out, (int)len) != 1) {
		len = 0;
		sw = 0x6F00;
	}
	out[len++] = (uint8_t)(sw >> 8);
	out[len++] = (uint8_t)sw;
	return len;
}

ULONG DEVAPI
SKF_Transmit(DEVHANDLE hDev, BYTE *pbCommand, ULONG ulCommandLen, BYTE *pbData, ULONG *pulDataLen)
{
	uint8_t out[256 + 2];
	struct call c;
	ULONG rv;

	if (pbCommand == NULL || ulCommandLen == 0 || pulDataLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hDev, KIND_DEVICE, 0);
	if (rv != SAR_OK)
		return rv;
	rv = give(uk_span(out, answer(pbCommand, ulCommandLen, out)), pbData, pulDataLen);
	return call_end(&c, rv);
}
