/*
 * Length-prefixed frames: four bytes, native-endian (as browsers' native messaging has it), then
 * the body.  Used on the unix socket, in native messaging and to the token helper.
 */
#ifndef UK_FRAME_H
#define UK_FRAME_H

#include "uk/buf.h"

#define UK_FRAME_HEAD 4u

/* A message of the daemon's API (design.md section 4). */
#define UK_MESSAGE_MAX (512u * 1024u)

struct uk_frames {
	struct uk_buf in;
	size_t max; /* of one body */
};

void uk_frames_init(struct uk_frames *f, size_t max);
void uk_frames_fini(struct uk_frames *f);

/* Where to read(2) to: room for at least n bytes, then uk_frames_add() what came. */
uint8_t *uk_frames_room(struct uk_frames *f, size_t n);
void uk_frames_add(struct uk_frames *f, size_t n);

/*
 * The next whole body, lent until uk_frames_done().  UK_OK with body->p NULL: not there yet.
 * UK_E_LIMIT: the peer announced more than max; there is no way to resynchronise, so close.
 */
UK_CHECK enum uk_rc uk_frames_next(struct uk_frames *f, struct uk_span *body);
void uk_frames_done(struct uk_frames *f, struct uk_span body);

/* Append head and body to out. */
void uk_frame_put(struct uk_buf *out, struct uk_span body);

#endif
