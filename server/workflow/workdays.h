/*
 * China's working days: plain weeks, and the State Council's yearly list of days off and of
 * weekend days that are worked instead.  The list is data (calendar.json): a program has the one it
 * was built with, and may be given a newer one.
 *
 *	{ "years": [ { "year": 2026, "source": "...",
 *	    "off": [ ["01-01", "01-03"], ... ],		first and last day
 *	    "work": [ "01-04", ... ] } ] }
 */
#ifndef WORKFLOW_WORKDAYS_H
#define WORKFLOW_WORKDAYS_H

#include <stdbool.h>

#include "uk/json.h"

/*
 * Take this list instead of the one there is.  Before any thread asks: the list is the process's.
 * UK_E_INPUT with err->field; the old list then stays.
 */
UK_CHECK enum uk_rc workdays_load(const json_t *file, struct uk_err *err);

/* Is the year (Beijing) in the list?  Others count as plain weeks. */
bool workdays_known(int year);

/* The year of a moment, Beijing. */
int workdays_year(int64_t t);

#endif
