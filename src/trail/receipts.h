/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * receipts - waiting for a signed checkpoint without blocking a loop: one thread waits for the
 * least size that anyone needs, and tells all whose size is covered.
 *
 * Threads: any may wait; `done` is called on a thread of its own, "receipts".
 */

#include "store/store.h"

struct api_receipts;
enum err api_receipts_start(struct store *store, struct api_receipts **out, struct diag *diag);
/* Tells everyone who still waits BUSY. */
void api_receipts_stop(struct api_receipts *receipts);

#define RECEIPT_WAIT_MS 5000

/* OK: a checkpoint covers `size`; BUSY: none did in RECEIPT_WAIT_MS. Exactly once. */
typedef void (*api_receipt_fn)(void *context, enum err result);
void api_receipts_wait(struct api_receipts *receipts, uint64_t size, api_receipt_fn done,
                       void *context);
