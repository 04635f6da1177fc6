/*
 * Sends codes in the background: whoever asks gets the same answer in the same time, whether there
 * is somebody to send to or not.  A code is in no row and no job; one that is lost with the process
 * is asked for again.
 */
#ifndef API_SENDER_H
#define API_SENDER_H

#include "notify/notify.h"
#include "uk/log.h"

#define SENDER_QUEUE_MAX 256

struct sender;

struct sender *sender_new(struct sms *sms, const struct uk_log *log);

/* Copies; the message is dropped (and logged) when too many wait. */
void sender_put(
    struct sender *s, const char *phone, enum sms_template template, const char *code, int minutes);

/* What waits is sent first; NULL-safe. */
void sender_free(struct sender **s);

#endif
