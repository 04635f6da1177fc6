/* The application form: what is in it, and what makes it right ([N2], [P2]). */
#ifndef API_FORM_H
#define API_FORM_H

#include <stdint.h>

#include "uk/json.h"
#include "workflow/order.h"

/*
 * A copy of the form with blanks around the values gone and the letters of codes and identity
 * numbers in upper case.  New reference; NULL when it is no object.
 */
json_t *form_clean(const json_t *form);

/*
 * Read and check a clean form of that kind.  err->field names the member at fault, err->reason says
 * what is wrong with it ("missing", "id-number-invalid", …).  The consent to photos may be missing
 * where perhaps none are needed: form_photos().
 */
UK_CHECK enum uk_rc form_read(
    enum order_kind kind, const json_t *form, int64_t now, struct uk_err *err);

/* [C6] Have photos been consented to? */
bool form_photos(const json_t *form);

/* What a reviewer should look at: an array of names, new reference. */
json_t *form_warnings(const json_t *form);

#endif
