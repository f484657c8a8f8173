/* What the parts of the runtime of executables share.
 *
 * The program itself is the object that LLVM made: it reaches everything through `simple_context`, laid
 * out by mir/abi.py, whose numbers come from the generated `layout.h`. Objects lie as mir/layout.py says.
 *
 * A function that can fail records the error with `simple_fail` and returns anything: the code that called
 * it looks at ABI_FAILED and throws. So no throw ever crosses a frame of C.
 */
#ifndef SIMPLE_H
#define SIMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "layout.h"

#define CELL(offset) (*(int64_t *)(void *)(simple_context + (offset)))
#define WORD(address) (*(int64_t *)(uintptr_t)(address))

extern char simple_context[ABI_CONTEXT_SIZE];

/* --- Heap objects: addresses, as the program has them -------------------------------------------- */

typedef int64_t ref;

static inline char *text_data(ref text) { return (char *)(uintptr_t)(text + ABI_TEXT_DATA); }
static inline size_t text_size(ref text) { return (size_t)WORD(text + ABI_TEXT_BYTES); }
static inline int64_t array_length(ref array) { return WORD(array + ABI_ARRAY_LEN); }
static inline ref array_item(ref array, int64_t index) {
    return WORD(WORD(array + ABI_ARRAY_DATA) + 8 * index);
}

static inline void set_item(ref array, int64_t index, ref item) {
    WORD(WORD(array + ABI_ARRAY_DATA) + 8 * index) = item;
}

/* These return 0 where memory runs out, which is recorded. Any of them may collect: what is referred to
 * from the stack stays, what only malloc'ed memory refers to does not. */
ref simple_new_text(const char *data, size_t size);
ref simple_new_text_counted(size_t size, int64_t chars); /* the same, to be filled by the caller */
ref simple_decode_text(const char *data, size_t size); /* what is not UTF-8 becomes U+FFFD */
ref simple_decode_name(const char *data, size_t size); /* ... a surrogate, as in names of files */
ref simple_new_array(int64_t type, int64_t count, int64_t size); /* elements of `size` bytes, all 0 */
ref simple_new_text_array(int64_t count);               /* of nil, each to be set before others see it */
char *simple_encode_name(ref text);                    /* the reverse, to be freed; NULL: it holds a NUL */
int64_t simple_count_chars(const char *data, size_t size);
size_t simple_next_char(const char *data, size_t size, uint32_t *code); /* bytes taken; 0: not UTF-8 */
bool simple_is_utf8(const char *data, size_t size);
size_t simple_put_char(char *to, uint32_t code);

ref rt_heap_refill(int64_t size);
bool simple_pin(ref object);            /* keep it for good; false: no memory */
bool simple_is_alive(ref object);       /* right after a collection: was it reached? */
void simple_drop_callbacks(void);       /* after a collection */
void simple_heap_start(void);

/* --- Errors -------------------------------------------------------------------------------------- */

/* Where an error came through: numbers of sites, innermost first; below 0 where some are missing. */
struct simple_way {
    int32_t *sites;    /* malloc'ed */
    int count, room;
};

enum { ENDS_NOT, ENDS_ERROR, ENDS_EXIT, ENDS_INTERRUPTED };

struct simple_error {
    int ending;        /* one of the above */
    const char *kind;
    char *message;     /* malloc'ed */
    size_t size;
    int64_t site;      /* 0: none */
    int status;        /* of ENDS_EXIT */
    struct simple_way way;
};

void simple_fail(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
void simple_end(int ending, int status);
void simple_record(struct simple_error error);
void simple_throw_recorded(void) __attribute__((noreturn));
bool simple_failed(void);
struct simple_error simple_take_error(void);
int simple_report(struct simple_error *error); /* shows it and frees it; returns the exit status */

void simple_drop_way(struct simple_way *way);
void simple_add_stretch(struct simple_way *way); /* what the last throw abandoned, if it was copied */
int64_t simple_keep_way(struct simple_way way);  /* takes it over; returns a number for it */
struct simple_way simple_copy_way(int64_t number); /* empty, where it is no longer known */
struct simple_way simple_frames(const struct simple_error *error); /* what of its way is to be shown */
void simple_show_calls(FILE *to, const struct simple_way *frames, int margin, const char *color,
                       const char *plain);

/* --- Calling the program ------------------------------------------------------------------------- */

int64_t simple_enter(char *context, void *function, int64_t a, int64_t b); /* 0, or 1 after a throw */
void simple_start(void *stack_top); /* before anything else */
void simple_set_stack_top(void *stack_top);
void *simple_stack_top(void);
void simple_end_soon(int status);
bool simple_check_interrupt(void);  /* true: interrupted, and that is recorded */

/* Wait until a file is ready, for so long at most (NULL: for ever), as ppoll does. An interrupt that came in
 * before ends it at once. */
struct pollfd;
struct timespec;
int simple_wait(struct pollfd *files, int count, const struct timespec *time);

/* --- Output -------------------------------------------------------------------------------------- */

void simple_output_start(void);
bool simple_flush(void);            /* false: it failed, and that is recorded */
int simple_finish(int status);      /* at the end: flushes, and returns the exit status */

/* --- What the compiler says of the program: the generated file program.c -------------------------- */

struct simple_site {
    uint32_t file, shown, stripped; /* offsets into simple_strings; the last two: of its line */
    uint32_t line, column, before;  /* `before`: columns of `shown` before the marked one */
    uint32_t has_line;
    uint32_t place_width;           /* columns of `file:line` */
    uint32_t function;              /* that it is in; 0: one that nobody has written */
    uint32_t caller;                /* the site of the call that it was inlined for; 0: none */
};

struct simple_function {
    uint32_t name, width;       /* offset into simple_strings; columns */
    uint32_t whole, is_part;    /* the same number for a function and its guarded parts */
    uint32_t declaration;       /* a site */
};

struct simple_call {
    int32_t offset;             /* of the return address, from simple_main */
    uint32_t frame;             /* bytes of stack up to the function's own return address */
    uint32_t sites;             /* index into simple_call_sites: their number, then they, innermost first */
};

struct simple_type {
    int64_t size, kind, stride;
    const int64_t *references; /* their number, then the offset of each */
};

struct simple_import { const char *library, *name; };

extern const char simple_strings[];
extern const struct simple_site simple_sites[]; /* number 0 is none */
extern const struct simple_function simple_functions[]; /* the same */
extern const struct simple_call simple_calls[]; /* in order of offset */
extern const uint32_t simple_call_sites[];
extern const struct simple_type simple_types[];
extern void *const simple_code[];
extern const uint32_t simple_code_names[];
extern const struct simple_import simple_imports[];

#endif
