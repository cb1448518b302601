/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * totp - one-time codes by the clock (RFC 6238): SHA-1, 6 digits, steps of 30 seconds, which is
 * what every authenticator application understands.
 *
 * A code of one step before or behind the server's is taken, for clocks that differ. A step is
 * taken once: the caller keeps the last one that was, and none at or before it is taken again.
 * 6 digits with three steps are three in a million for each guess, so the caller limits those.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define TOTP_SECRET_BYTES 20 /* of a new one: as long as the hash, as RFC 4226 advises */
#define TOTP_DIGITS       6
#define TOTP_STEP_S       30
#define TOTP_WINDOW_STEPS 1 /* on each side */

/* The step that a time lies in. `time_us` is 0 or later. */
uint64_t totp_step(int64_t time_us);

/* The digits of one step, NUL-terminated. */
void totp_code(slice secret, uint64_t step, char out[TOTP_DIGITS + 1]);

/* Whether `code` is that of a step around `now_us` behind `last_step` (0: none was taken yet); then
 * *step_out is that step, for the caller to keep. Neither the answer's time nor the number of steps
 * looked at depends on the code. */
bool totp_verify(slice secret, slice code, int64_t now_us, uint64_t last_step, uint64_t *step_out);
