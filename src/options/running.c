/* SPDX-License-Identifier: Apache-2.0 */
#include "options/running.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/thread.h"

struct running {
    _Atomic uint64_t numbers[OPTION_COUNT]; /* follow `options`; of a TEXT whether it is given */
    struct mutex lock;
    struct options *options;
};

/* Under the lock, so that the number of the last change stays. */
static void publish(struct running *running, enum option option)
{
    bool is_text = option_info(option)->type == OPTION_TYPE_TEXT;
    uint64_t number = options_number(running->options, option);
    if (is_text) {
        number = options_text(running->options, option)[0] != '\0' ? 1 : 0;
    }
    atomic_store(&running->numbers[option], number);
}

struct running *running_new(struct options *options)
{
    struct running *running = mem_zeroed(sizeof(*running));
    mutex_init(&running->lock);
    running->options = options;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        publish(running, (enum option)i);
    }
    return running;
}

void running_free(struct running *running)
{
    if (running == NULL) {
        return;
    }
    options_free(running->options);
    mutex_release(&running->lock);
    free(running);
}

/* ---- Reading ---- */

uint64_t running_u64(const struct running *running, enum option option)
{
    return atomic_load_explicit(&running->numbers[option], memory_order_relaxed);
}

bool running_bool(const struct running *running, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_BOOLEAN);
    return running_u64(running, option) != 0;
}

size_t running_choice(const struct running *running, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_CHOICE);
    return (size_t)running_u64(running, option);
}

slice running_text(struct running *running, enum option option, struct arena *arena)
{
    slice copy = {0};
    ASSERT(option_info(option)->type == OPTION_TYPE_TEXT);
    if (running_u64(running, option) == 0) {
        return copy;
    }
    mutex_lock(&running->lock);
    (void)arena_copy(arena, slice_from_cstr(options_text(running->options, option)), &copy);
    mutex_unlock(&running->lock);
    return copy;
}

struct options *running_options(struct running *running)
{
    mutex_lock(&running->lock);
    struct options *copy = options_copy(running->options);
    mutex_unlock(&running->lock);
    return copy;
}

/* ---- Changing ---- */

enum err running_set(struct running *running, enum option option, slice text, struct diag *diag)
{
    const char *name = option_info(option)->name;
    mutex_lock(&running->lock);
    enum err e = options_set(running->options, option, text, OPTION_FROM_SETTING, name, diag);
    publish(running, option);
    mutex_unlock(&running->lock);
    return e;
}

void running_unset(struct running *running, enum option option)
{
    mutex_lock(&running->lock);
    options_unset(running->options, option, OPTION_FROM_SETTING);
    publish(running, option);
    mutex_unlock(&running->lock);
}

void running_take_file(struct running *running, const struct options *options)
{
    mutex_lock(&running->lock);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        enum option option = (enum option)i;
        if ((option_info(option)->flags & OPTION_RUNNING) != 0) {
            options_take(running->options, option, OPTION_FROM_FILE, options);
            publish(running, option);
        }
    }
    mutex_unlock(&running->lock);
}
