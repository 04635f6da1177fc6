/* Numbers that carry their own check, and the forms of phone, e-mail and postcode.  Pure. */
#ifndef API_NUMBERS_H
#define API_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Unified social credit code, GB 32100-2015: length, alphabet and digits where digits must be. */
bool number_credit_code(const char *s);

/*
 * Its check character.  Registered codes are in use whose check character is wrong, so this is a
 * warning for the reviewer and no ground to refuse.
 */
bool number_credit_code_check(const char *s);

/*
 * Resident identity number, GB 11643-1999: province, a real date of birth that is not after
 * `today` (days since 1970-01-01), check character.
 */
bool number_resident_id(const char *s, int64_t today);

bool number_phone(const char *s); /* a mobile number of mainland China */
bool number_email(const char *s);
bool number_postcode(const char *s);

#define NUMBER_MASK_LEN 12

/* "138****0001"; "" for what is no phone number. */
void number_phone_mask(const char *s, char out[NUMBER_MASK_LEN]);

#endif
