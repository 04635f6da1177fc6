#include "helper/pkcs11.h"

#define PLAIN_MAX  512
#define SECRET_MAX 48

struct scheme_row {
	bool ec;
	CK_MECHANISM_TYPE how;
	CK_MECHANISM_TYPE digest; /* OAEP */
	CK_RSA_PKCS_MGF_TYPE mgf;
};

static const struct scheme_row schemes[] = {
	[TOKEN_RSA_PKCS1] = { false, CKM_RSA_PKCS, 0, 0 },
	[TOKEN_RSA_OAEP_SHA1] = { false, CKM_RSA_PKCS_OAEP, CKM_SHA_1, CKG_MGF1_SHA1 },
	[TOKEN_RSA_OAEP_SHA256] = { false, CKM_RSA_PKCS_OAEP, CKM_SHA256, CKG_MGF1_SHA256 },
	[TOKEN_ECDH] = { true, CKM_ECDH1_DERIVE, 0, 0 },
};

static CK_RV
decrypt_rsa(struct p11_module *m, struct p11_slot *s, const struct p11_key *k,
    const struct scheme_row *row, struct uk_span data, struct uk_buf *out)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
		.hashAlg = row->digest, .mgf = row->mgf, .source = CKZ_DATA_SPECIFIED
	};
	CK_MECHANISM how = { row->how, row->digest != 0 ? &oaep : NULL,
		row->digest != 0 ? sizeof(oaep) : 0 };
	CK_ULONG n = PLAIN_MAX;
	uint8_t *room = uk_buf_room(out, PLAIN_MAX);
	CK_RV rv;

	if (room == NULL)
		return CKR_HOST_MEMORY;
	rv = m->fn->C_DecryptInit(s->session, &how, k->handle);
	if (rv == CKR_OK)
		rv = m->fn->C_Decrypt(s->session, p11_bytes(data), data.n, room, &n);
	if (rv == CKR_OK && n > PLAIN_MAX)
		rv = CKR_GENERAL_ERROR;
	if (rv == CKR_OK)
		uk_buf_add(out, n);
	return rv;
}

/* PKCS #11 v2.40 section 2.3.10: the secret becomes an object of the session, which is read. */
static CK_RV
derive(struct p11_module *m, struct p11_slot *s, const struct p11_key *k, struct uk_span point,
    struct uk_buf *out)
{
	CK_ECDH1_DERIVE_PARAMS params = {
		.kdf = CKD_NULL, .ulPublicDataLen = point.n, .pPublicData = p11_bytes(point)
	};
	CK_MECHANISM how = { CKM_ECDH1_DERIVE, &params, sizeof(params) };
	CK_ULONG n = uk_keyalg_digest_len(k->alg); /* as long as a coordinate: 32, 48 */
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE t[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &no, sizeof(no) },
		{ CKA_SENSITIVE, &no, sizeof(no) },
		{ CKA_EXTRACTABLE, &yes, sizeof(yes) },
		{ CKA_VALUE_LEN, &n, sizeof(n) },
	};
	CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
	const size_t from = out->n;
	CK_RV rv;

	rv = m->fn->C_DeriveKey(s->session, &how, k->handle, t, sizeof(t) / sizeof(t[0]), &secret);
	if (rv != CKR_OK)
		return rv;
	rv = p11_attr(m, s, secret, CKA_VALUE, SECRET_MAX, out);
	(void)m->fn->C_DestroyObject(s->session, secret);
	return rv == CKR_OK && out->n - from != n ? CKR_GENERAL_ERROR : rv;
}

enum uk_rc
p11_decrypt(struct token_store *b, const char *id, const char *key_id, enum token_scheme scheme,
    struct uk_span data, struct uk_buf *out, struct token_fault *f)
{
	struct p11_module *m = p11_cast(b);
	struct p11_slot *s = NULL;
	struct p11_key k;
	enum uk_rc rc;
	CK_RV rv;

	if (scheme >= sizeof(schemes) / sizeof(schemes[0]))
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "decrypt");
	if ((rc = p11_slot_open(m, id, &s, f)) != UK_OK ||
	    (rc = p11_key_find(m, s, key_id, &k, f)) != UK_OK)
		return rc;
	if (schemes[scheme].ec != uk_keyalg_is_ec(k.alg))
		return token_fail(f, UK_E_UNSUPPORTED, REASON_ALGORITHM, "decrypt");
	rv = schemes[scheme].ec ? derive(m, s, &k, data, out)
				: decrypt_rsa(m, s, &k, &schemes[scheme], data, out);
	if (rv == CKR_OK)
		return UK_OK;
	s->n_keys = 0;
	/* An operation that an earlier fault left behind is not there the next time. */
	if (rv == CKR_OPERATION_ACTIVE && (rc = p11_session_renew(m, s, f)) != UK_OK)
		return rc;
	(void)p11_slot_fail(m, s, f, rv, "C_Decrypt");
	/* SoftHSM has a general error for what does not decrypt. */
	if (f->rc == UK_E_INTERNAL) {
		f->rc = UK_E_INTEGRITY;
		f->reason = REASON_DECRYPTION;
	}
	return f->rc;
}
