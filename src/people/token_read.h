/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_read - what header and claims of a token say, once they are bytes. Private to people/token.
 *
 * Threads: any.
 */

#include "people/token.h"

/* The header; its kid goes to `kid_out`, NUL-terminated. GOOD, BAD_HEADER, BAD_ALGORITHM, BAD_TYPE,
 * CRITICAL, MORE_HEADER, UNKNOWN_KEY (there is none, or it cannot be one of ours). */
enum token_answer token_read_header(slice text, char kid_out[TOKEN_KID_BYTES + 1]);

/* The claims, which `issuer` must have made; the times are in order but not compared with any
 * other. GOOD, BAD_CLAIMS, MISSING_CLAIM, MORE_CLAIMS, WRONG_CLAIM, WRONG_ISSUER, LONG_LIVED. */
enum token_answer token_read_claims(slice text, const char *issuer, struct token_claims *out);

/* Of the role, those rights that the scope names; what it names beside them is nothing. */
uint32_t token_rights(const char *role, slice scope);
