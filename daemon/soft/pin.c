#include <string.h>

#include "soft/pin.h"

ULONG
pin_possible(const char *pin)
{
	size_t n;

	if (pin == NULL)
		return SAR_INVALIDPARAMERR;
	n = strnlen(pin, PIN_LEN_MAX + 1);
	return n >= PIN_LEN_MIN && n <= PIN_LEN_MAX ? SAR_OK : SAR_PIN_LEN_RANGE;
}

ULONG
pin_reset_tries(const struct disk *d, const struct app *a, uint32_t type)
{
	uint8_t left[2];
	const ULONG rv = disk_tries(d, a, left);

	if (rv != SAR_OK)
		return rv;
	left[type] = (uint8_t)a->pins[type].tries;
	return disk_set_tries(d, a, left);
}

ULONG
pin_try(const struct disk *d, const struct app *a, uint32_t type, const char *pin, uint32_t *left,
    struct uk_secret **master)
{
	uint8_t tries[2];
	ULONG rv = disk_tries(d, a, tries);

	if (rv != SAR_OK)
		return rv;
	*left = tries[type];
	if (tries[type] == 0)
		return SAR_PIN_LOCKED;
	tries[type]--;
	rv = disk_set_tries(d, a, tries);
	if (rv != SAR_OK)
		return rv;
	*left = tries[type];
	rv = vault_unwrap(a, type, pin, master);
	if (rv != SAR_OK)
		return rv;
	tries[type] = (uint8_t)a->pins[type].tries;
	rv = disk_set_tries(d, a, tries);
	if (rv == SAR_OK)
		*left = tries[type];
	else
		uk_secret_free(master);
	return rv;
}
