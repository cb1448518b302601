/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * crc32c - the CRC of RFC 3720 (Castagnoli, reflected), with the processor's instruction where it
 * has one. It finds damage by accident, never by intent; hashes are for that.
 *
 * Threads: any.
 */

#include "base/slice.h"

/* Continues `crc`, which is 0 for the first bytes: crc32c(crc32c(0, a), b) is that of a and b
 * together. crc32c(0, "123456789") is 0xe3069283. */
uint32_t crc32c(uint32_t crc, slice bytes);

/* The two ways of doing it, for the tests that compare them. The fast one may be called only where
 * crc32c_is_fast(). */
bool crc32c_is_fast(void);
uint32_t crc32c_fast(uint32_t crc, slice bytes);
uint32_t crc32c_portable(uint32_t crc, slice bytes);
