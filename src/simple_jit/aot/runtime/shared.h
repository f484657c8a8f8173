/* What the wrappers of exported functions call (shared.c). */
#ifndef SHARED_H
#define SHARED_H

#include "simple.h"

/* Enter the program: `function(context, call, 0)`. An error leaves `*call` as it was and is kept. */
void simple_call(void *function, void *call, void *stack_top);
ref simple_text_argument(const char *text);
ref simple_array_argument(int64_t type, const void *data, size_t length, size_t size);
void simple_copy_back(ref array, void *data, size_t size);
const char *simple_keep_text(ref text); /* a copy that stays until the next one is kept */

#endif
