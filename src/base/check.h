/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* check.h - ASSERT stays on in every build. It is for our own mistakes, never for input. */

_Noreturn void check_failed(const char *expression, const char *file, int line);

#define ASSERT(expression)                                                                         \
    ((expression) ? (void)0 : check_failed(#expression, __FILE_NAME__, __LINE__))
