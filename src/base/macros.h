/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* macros.h - the compiler attributes and the few macros this code base allows itself. */

#include <stddef.h>

/* On a type: ignoring any function that returns it is a warning, in gcc 12 and clang 14 alike. */
#if defined(__cppcheck__)
#define NODISCARD_TYPE
#elif defined(__clang__)
#define NODISCARD_TYPE __attribute__((warn_unused_result))
#else
#define NODISCARD_TYPE [[nodiscard]]
#endif
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define CLEANUP(fn)                     __attribute__((cleanup(fn)))
#define TARGET(features)                __attribute__((target(features)))
#define UNUSED(x)                       ((void)(x))
#define COUNT_OF(array)                 (sizeof(array) / sizeof((array)[0]))
#define KIB(n)                          (1024 * (size_t)(n))
#define MIB(n)                          (1024 * KIB(n))

/* OWNED(segment) s = NULL;  declares a pointer that frees itself at the end of its scope. */
#define OWNED(name) CLEANUP(name##_freep) struct name *

/* Goes below `void name_free(struct name *)` in the header that declares it. */
#define DEFINE_OWNED(name)                                                                         \
    static inline void name##_freep(struct name **object)                                          \
    {                                                                                              \
        name##_free(*object);                                                                      \
        *object = NULL;                                                                            \
    }                                                                                              \
    struct name

/* *out = MOVE(s);  passes ownership on and leaves NULL behind. */
#define MOVE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) *move_source_ = &(pointer);                                            \
        __typeof__(pointer) move_value_ = *move_source_;                                           \
        *move_source_ = NULL;                                                                      \
        move_value_;                                                                               \
    })
