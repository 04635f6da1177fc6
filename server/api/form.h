/* The application form: what is in it, and what makes it right ([N2], [P2]). */
#ifndef API_FORM_H
#define API_FORM_H

#include <stdint.h>

#include "uk/json.h"

struct form {
	const char *organisation;
	const char *credit_code;
	const char *legal_person_name;
	const char *legal_person_id;
	const char *agent_name;
	const char *agent_id;
	const char *agent_phone;
	const char *agent_email;
	const char *recipient;
	const char *recipient_phone;
	const char *address;
	const char *postcode; /* NULL: not given */
	const char *invoice_type;
	bool photo_consent;
	bool agreement;
};

/*
 * A copy of the form with blanks around the values gone and the letters of codes and identity
 * numbers in upper case.  New reference; NULL when it is no object.
 */
json_t *form_clean(const json_t *form);

/*
 * Read and check a clean form of that kind.  The strings are lent by `form`.  err->field names the
 * member at fault, err->reason says what is wrong with it ("missing", "id-number-invalid", …).
 */
UK_CHECK enum uk_rc form_read(
    const char *kind, const json_t *form, int64_t now, struct form *out, struct uk_err *err);

/* What a reviewer should look at: an array of names, new reference. */
json_t *form_warnings(const json_t *form);

#endif
