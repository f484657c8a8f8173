/* What the generated entries of callbacks call (callbacks.c). */
#ifndef CALLBACKS_H
#define CALLBACKS_H

#include "simple.h"

/* What C may call for a function value; `entry` is the C function of its signature. */
void *simple_callback(ref closure, void *entry);
ref simple_callback_begin(void); /* the function value that C calls; 0: it is not to be called */
void simple_callback_failed(void); /* keeps the error that it was left by */
ref rt_text_from_c(int64_t address);
ref rt_optional_text_from_c(int64_t address);

/* The code of a function value. */
static inline void *callback_code(ref closure) {
    return (void *)(uintptr_t)CELL(WORD(closure + ABI_HEADER_SIZE));
}

#endif
