/* Entering the program from C: only in shared libraries. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

#ifdef PROGRAM_SHARED

extern int64_t simple_main(char *context, ref arguments);

static char *last_error;
static bool is_started;

static void keep_error(void) {
    struct simple_error error = simple_take_error();
    free(last_error);
    if (error.ending != ENDS_ERROR)
        last_error = strdup(error.ending == ENDS_EXIT ? "the program asked to end" : "interrupted");
    else if (error.site == 0)
        last_error = asprintf(&last_error, "%s: %s", error.kind, error.message) < 0 ? NULL : last_error;
    else
        last_error = asprintf(&last_error, "%s: %s (%s:%u:%u)", error.kind, error.message,
                              simple_strings + simple_sites[error.site].file, simple_sites[error.site].line,
                              simple_sites[error.site].column) < 0 ? NULL : last_error;
    free(error.message);
    simple_drop_way(&error.way);
}

/* Start the runtime and run the statements at the top of the modules, once. */
static bool start(void *top) {
    if (is_started)
        return true;
    is_started = true;
    simple_start(top);
    CELL(ABI_ARGS) = simple_new_text_array(0);
    return !simple_failed() && simple_enter(simple_context, (void *)simple_main, CELL(ABI_ARGS), 0) == 0;
}

void simple_call(void *function, void *call, void *top) {
    static int depth; /* C that the program called may call it again: the stack begins further up then */
    void *outer = simple_stack_top();
    free(last_error);
    last_error = NULL;
    if (depth == 0)
        simple_set_stack_top(top);
    depth++;
    if (!start(top) || simple_enter(simple_context, function, (int64_t)(uintptr_t)call, 0) != 0)
        keep_error();
    simple_flush();
    depth--;
    if (depth > 0)
        simple_set_stack_top(outer);
}

ref simple_text_argument(const char *text) {
    return simple_failed() ? 0 : simple_decode_text(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

ref simple_array_argument(int64_t type, const void *data, size_t length, size_t size) {
    ref array = simple_failed() ? 0 : simple_new_array(type, (int64_t)length, (int64_t)size);
    if (array != 0 && length > 0)
        memcpy((void *)(uintptr_t)WORD(array + ABI_ARRAY_DATA), data, length * size);
    return array;
}

void simple_copy_back(ref array, void *data, size_t size) {
    if (size > 0 && array_length(array) > 0)
        memcpy(data, (void *)(uintptr_t)WORD(array + ABI_ARRAY_DATA), size);
}

const char *simple_keep_text(ref text) {
    static char *kept;
    free(kept);
    kept = malloc(text_size(text) + 1);
    if (kept != NULL)
        memcpy(kept, text_data(text), text_size(text) + 1);
    return kept;
}

__attribute__((visibility("default"))) const char *simple_error(void) { return last_error; }

#endif
