/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secret_weakness - secrets that are none: placeholders of examples, short ones, and such as repeat
 * themselves. What is strong by this may still be guessed; what is weak by it will be.
 *
 * Threads: any.
 */

#include "base/slice.h"

/* Why `secret` is weak, as the end of a sentence ("is shorter than ..."); NULL: nothing speaks
 * against it. */
const char *secret_weakness(slice secret);
