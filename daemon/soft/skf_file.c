/* GM/T 0016-2012 section 7.4. */
#include <string.h>

#include <openssl/crypto.h>

#include "soft/call.h"
#include "soft/vault.h"

#define ABOUT_MAX (ID_LEN + 12 + MAX_FILE_NAME_SIZE)

static bool
allowed(const struct call *c, uint32_t rights)
{
	if (rights == SECURE_ANYONE_ACCOUNT)
		return true;
	if (c->login == NULL)
		return false;
	return ((rights & SECURE_USER_ACCOUNT) != 0 && c->login->may[USER_TYPE]) ||
	       ((rights & SECURE_ADM_ACCOUNT) != 0 && c->login->may[ADMIN_TYPE]);
}

/* Whose file it is, and who may what: that can't be changed on the disk either. */
static struct uk_span
about(const struct app *a, const struct file *f, uint8_t b[ABOUT_MAX])
{
	const uint32_t numbers[3] = { f->size, f->read, f->write };
	uint8_t *p = b + ID_LEN;

	memcpy(b, a->id, ID_LEN);
	for (int i = 0; i < 12; i++)
		*p++ = (uint8_t)(numbers[i / 4] >> (24 - 8 * (i % 4)));
	memcpy(p, f->name, strlen(f->name));
	return uk_span(b, ID_LEN + 12 + strlen(f->name));
}

/* The content, size bytes; plain is the caller's. */
static ULONG
file_open(const struct call *c, const struct file *f, struct uk_buf *plain)
{
	uint8_t b[ABOUT_MAX];

	uk_buf_init(plain, FILE_SIZE_MAX + SEALED_MORE);
	if (f->sealed)
		return vault_open(
		    c->login->master, about(c->app, f, b), uk_buf_span(&f->data), plain);
	uk_buf_put(plain, uk_buf_span(&f->data));
	return uk_buf_failed(plain) ? SAR_MEMORYERR : SAR_OK;
}

static ULONG
file_put(const struct call *c, struct file *f, const struct uk_buf *plain)
{
	uint8_t b[ABOUT_MAX];

	if (f->sealed)
		return vault_seal(
		    c->login->master, about(c->app, f, b), uk_buf_span(plain), &f->data);
	uk_buf_reset(&f->data);
	uk_buf_put(&f->data, uk_buf_span(plain));
	return uk_buf_failed(&f->data) ? SAR_NO_ROOM : SAR_OK;
}

/*
 * A file that is read and written after a log-in only is sealed under the master key, which is
 * there then.
 */
static ULONG
add_file(struct call *c, const char *name, ULONG size, ULONG read_rights, ULONG write_rights)
{
	struct uk_buf zeroes;
	struct file *f;
	ULONG rv;

	if (!allowed(c, c->app->file_rights))
		return SAR_USER_NOT_LOGGED_IN;
	if (app_file(c->app, name) != NULL)
		return SAR_FILE_ALREADY_EXIST;
	if (c->app->n_files == FILES_MAX)
		return SAR_NO_ROOM;
	f = &c->app->files[c->app->n_files++];
	file_init(f);
	memcpy(f->name, name, strlen(name));
	f->size = size;
	f->read = read_rights;
	f->write = write_rights;
	f->sealed = c->login != NULL && read_rights != SECURE_ANYONE_ACCOUNT &&
		    write_rights != SECURE_ANYONE_ACCOUNT;
	uk_buf_init(&zeroes, FILE_SIZE_MAX);
	if (uk_buf_room(&zeroes, size) != NULL) {
		memset(zeroes.p, 0, size);
		uk_buf_add(&zeroes, size);
	}
	rv = file_put(c, f, &zeroes);
	uk_buf_fini(&zeroes);
	return rv == SAR_OK ? call_save(c) : rv;
}

ULONG DEVAPI
SKF_CreateFile(HAPPLICATION hApplication, LPSTR szFileName, ULONG ulFileSize, ULONG ulReadRights,
    ULONG ulWriteRights)
{
	struct call c;
	ULONG rv;

	if (szFileName == NULL || !rights_ok(ulReadRights) || !rights_ok(ulWriteRights))
		return SAR_INVALIDPARAMERR;
	if (!name_ok(szFileName, MAX_FILE_NAME_SIZE))
		return SAR_NAMELENERR;
	if (ulFileSize == 0 || ulFileSize > FILE_SIZE_MAX)
		return ulFileSize == 0 ? SAR_INVALIDPARAMERR : SAR_NO_ROOM;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = add_file(&c, szFileName, ulFileSize, ulReadRights, ulWriteRights);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_DeleteFile(HAPPLICATION hApplication, LPSTR szFileName)
{
	struct file *f;
	struct call c;
	ULONG rv;

	if (szFileName == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	f = app_file(c.app, szFileName);
	if (f == NULL)
		return call_end(&c, SAR_FILE_NOT_EXIST);
	if (!allowed(&c, c.app->file_rights))
		return call_end(&c, SAR_USER_NOT_LOGGED_IN);
	app_drop_file(c.app, f);
	return call_end(&c, call_save(&c));
}

ULONG DEVAPI
SKF_EnumFiles(HAPPLICATION hApplication, LPSTR szFileList, ULONG *pulSize)
{
	struct uk_buf names;
	struct call c;
	ULONG rv;

	if (pulSize == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	uk_buf_init(&names, FILES_MAX * (MAX_FILE_NAME_SIZE + 1) + 2);
	for (size_t i = 0; i < c.app->n_files; i++)
		name_put(&names, c.app->files[i].name);
	rv = name_give(&names, szFileList, pulSize);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_GetFileInfo(HAPPLICATION hApplication, LPSTR szFileName, FILEATTRIBUTE *pFileInfo)
{
	const struct file *f;
	struct call c;
	ULONG rv;

	if (szFileName == NULL || pFileInfo == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	f = app_file(c.app, szFileName);
	if (f == NULL)
		return call_end(&c, SAR_FILE_NOT_EXIST);
	memset(pFileInfo, 0, sizeof(*pFileInfo));
	memcpy(pFileInfo->FileName, f->name, strlen(f->name)); /* of 32 bytes: without a NUL */
	pFileInfo->FileSize = f->size;
	pFileInfo->ReadRights = f->read;
	pFileInfo->WriteRights = f->write;
	return call_end(&c, SAR_OK);
}

/* What there is from offset on, at most n bytes. */
static ULONG
read_at(const struct call *c, const struct file *f, ULONG offset, ULONG n, BYTE *out, ULONG *len)
{
	struct uk_buf plain;
	ULONG rv;

	if (offset >= f->size)
		return SAR_INVALIDPARAMERR;
	if (n > f->size - offset)
		n = f->size - offset;
	rv = file_open(c, f, &plain);
	if (rv == SAR_OK)
		rv = give(uk_span(plain.p + offset, n), out, len);
	uk_buf_fini(&plain);
	return rv;
}

ULONG DEVAPI
SKF_ReadFile(HAPPLICATION hApplication, LPSTR szFileName, ULONG ulOffset, ULONG ulSize,
    BYTE *pbOutData, ULONG *pulOutLen)
{
	const struct file *f;
	struct call c;
	ULONG rv;

	if (szFileName == NULL || pulOutLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	f = app_file(c.app, szFileName);
	if (f == NULL)
		rv = SAR_FILE_NOT_EXIST;
	else if (!allowed(&c, f->read))
		rv = SAR_USER_NOT_LOGGED_IN;
	else
		rv = read_at(&c, f, ulOffset, ulSize, pbOutData, pulOutLen);
	return call_end(&c, rv);
}

static ULONG
write_at(struct call *c, struct file *f, ULONG offset, const BYTE *data, ULONG n)
{
	struct uk_buf plain;
	ULONG rv;

	if (offset >= f->size)
		return SAR_INVALIDPARAMERR;
	if (n > f->size - offset)
		return SAR_INDATALENERR;
	rv = file_open(c, f, &plain);
	if (rv == SAR_OK) {
		memcpy(plain.p + offset, data, n);
		rv = file_put(c, f, &plain);
	}
	uk_buf_fini(&plain);
	return rv == SAR_OK ? call_save(c) : rv;
}

ULONG DEVAPI
SKF_WriteFile(
    HAPPLICATION hApplication, LPSTR szFileName, ULONG ulOffset, BYTE *pbData, ULONG ulSize)
{
	struct file *f;
	struct call c;
	ULONG rv;

	if (szFileName == NULL || pbData == NULL || ulSize == 0)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	f = app_file(c.app, szFileName);
	if (f == NULL)
		rv = SAR_FILE_NOT_EXIST;
	else if (!allowed(&c, f->write))
		rv = SAR_USER_NOT_LOGGED_IN;
	else
		rv = write_at(&c, f, ulOffset, pbData, ulSize);
	return call_end(&c, rv);
}
