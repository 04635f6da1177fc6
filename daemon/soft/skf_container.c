/* GM/T 0016-2012 section 7.5, and the export of public keys. */
#include <string.h>

#include <openssl/rand.h>

#include "soft/blob.h"
#include "soft/call.h"

static ULONG
container_handle(struct call *c, const struct container *con, HCONTAINER *out)
{
	struct object *o;
	const ULONG rv = call_new(c, KIND_CONTAINER, c->o, &o);

	if (rv != SAR_OK)
		return rv;
	memcpy(o->container, con->id, ID_LEN);
	*out = object_handle(o);
	return SAR_OK;
}

static ULONG
add_container(struct call *c, const char *name, struct container **out)
{
	struct container *con;

	if (app_container(c->app, name) != NULL)
		return SAR_OBJERR; /* the standard has no word for "there is one" */
	if (c->app->n_containers == CONTAINERS_MAX)
		return SAR_REACH_MAX_CONTAINER_COUNT;
	con = &c->app->containers[c->app->n_containers++];
	container_init(con);
	memcpy(con->name, name, strlen(name));
	*out = con;
	return RAND_bytes(con->id, ID_LEN) == 1 ? call_save(c) : SAR_GENRANDERR;
}

ULONG DEVAPI
SKF_CreateContainer(HAPPLICATION hApplication, LPSTR szContainerName, HCONTAINER *phContainer)
{
	struct container *con = NULL;
	struct call c;
	ULONG rv;

	if (szContainerName == NULL || phContainer == NULL)
		return SAR_INVALIDPARAMERR;
	if (!name_ok(szContainerName, MAX_CONTAINER_NAME_SIZE))
		return SAR_NAMELENERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	rv = add_container(&c, szContainerName, &con);
	if (rv == SAR_OK)
		rv = container_handle(&c, con, phContainer);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_DeleteContainer(HAPPLICATION hApplication, LPSTR szContainerName)
{
	struct container *con;
	struct call c;
	ULONG rv;

	if (szContainerName == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	con = app_container(c.app, szContainerName);
	if (con == NULL)
		return call_end(&c, SAR_OBJERR);
	app_drop_container(c.app, con);
	return call_end(&c, call_save(&c));
}

ULONG DEVAPI
SKF_EnumContainer(HAPPLICATION hApplication, LPSTR szContainerName, ULONG *pulSize)
{
	struct uk_buf names;
	struct call c;
	ULONG rv;

	if (pulSize == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	uk_buf_init(&names, CONTAINERS_MAX * (MAX_CONTAINER_NAME_SIZE + 1) + 2);
	for (size_t i = 0; i < c.app->n_containers; i++)
		name_put(&names, c.app->containers[i].name);
	rv = name_give(&names, szContainerName, pulSize);
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_OpenContainer(HAPPLICATION hApplication, LPSTR szContainerName, HCONTAINER *phContainer)
{
	const struct container *con;
	struct call c;
	ULONG rv;

	if (szContainerName == NULL || phContainer == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hApplication, KIND_APP, 0);
	if (rv != SAR_OK)
		return rv;
	con = app_container(c.app, szContainerName);
	rv = con != NULL ? container_handle(&c, con, phContainer) : SAR_OBJERR;
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_CloseContainer(HCONTAINER hContainer)
{
	return call_close(__func__, hContainer, KIND_CONTAINER);
}

ULONG DEVAPI
SKF_GetContainerType(HCONTAINER hContainer, ULONG *pulContainerType)
{
	struct call c;
	ULONG rv;

	if (pulContainerType == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, 0);
	if (rv != SAR_OK)
		return rv;
	*pulContainerType = c.container->type;
	return call_end(&c, SAR_OK);
}

static enum use
use_of(BOOL sign)
{
	return sign != FALSE ? USE_SIGN : USE_ENCRYPT;
}

/* A SEQUENCE in DER with nothing after it. */
static bool
looks_der(const BYTE *p, ULONG n)
{
	size_t len = 0, head = 2;

	if (n < 2 || p[0] != 0x30)
		return false;
	if (p[1] < 0x80)
		return n - 2 == p[1];
	for (; head < 2u + (p[1] & 0x7fu) && head < n && head < 6; head++)
		len = len << 8 | p[head];
	return head == 2u + (p[1] & 0x7fu) && len == n - head;
}

ULONG DEVAPI
SKF_ImportCertificate(HCONTAINER hContainer, BOOL bSignFlag, BYTE *pbCert, ULONG ulCertLen)
{
	struct uk_buf *cert;
	struct call c;
	ULONG rv;

	if (pbCert == NULL)
		return SAR_INVALIDPARAMERR;
	if (ulCertLen == 0 || ulCertLen > CERTIFICATE_MAX)
		return SAR_INDATALENERR;
	if (!looks_der(pbCert, ulCertLen))
		return SAR_INDATAERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, CALL_USER | CALL_WRITE);
	if (rv != SAR_OK)
		return rv;
	cert = &c.container->certificates[use_of(bSignFlag)];
	uk_buf_reset(cert);
	uk_buf_put(cert, uk_span(pbCert, ulCertLen));
	return call_end(&c, uk_buf_failed(cert) ? SAR_NO_ROOM : call_save(&c));
}

ULONG DEVAPI
SKF_ExportCertificate(HCONTAINER hContainer, BOOL bSignFlag, BYTE *pbCert, ULONG *pulCertLen)
{
	const struct uk_buf *cert;
	struct call c;
	ULONG rv;

	if (pulCertLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, 0);
	if (rv != SAR_OK)
		return rv;
	cert = &c.container->certificates[use_of(bSignFlag)];
	rv = cert->n != 0 ? give(uk_buf_span(cert), pbCert, pulCertLen) : SAR_CERTNOTFOUNTERR;
	return call_end(&c, rv);
}

ULONG DEVAPI
SKF_ExportPublicKey(HCONTAINER hContainer, BOOL bSignFlag, BYTE *pbBlob, ULONG *pulBlobLen)
{
	const struct pair *pair;
	ECCPUBLICKEYBLOB ecc;
	RSAPUBLICKEYBLOB rsa;
	struct call c;
	ULONG rv;

	if (pulBlobLen == NULL)
		return SAR_INVALIDPARAMERR;
	rv = call_begin(&c, __func__, hContainer, KIND_CONTAINER, 0);
	if (rv != SAR_OK)
		return rv;
	pair = &c.container->pairs[use_of(bSignFlag)];
	if (!pair_there(pair)) {
		rv = SAR_KEYNOTFOUNTERR;
	} else if (c.container->type == CONTAINER_ECC) {
		blob_sm2_public_put(pair->public.p, &ecc);
		rv = give(uk_span(&ecc, sizeof(ecc)), pbBlob, pulBlobLen);
	} else {
		blob_rsa_public_put(uk_buf_span(&pair->public), &rsa);
		rv = give(uk_span(&rsa, sizeof(rsa)), pbBlob, pulBlobLen);
	}
	return call_end(&c, rv);
}
