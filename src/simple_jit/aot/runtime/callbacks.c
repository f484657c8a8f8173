/* Function values that C calls, as runtime/callbacks.py has them for an engine.
 *
 *     pointer -> thunk -> cell: the function value, 0 when that is gone -> entry of the signature
 *
 * A pointer is good as long as its function value: for good, where that has no captured variables, else as
 * long as the program refers to it. An error stays with the entry; the call of C throws it again.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "callbacks.h"

#ifdef PROGRAM_CALLBACKS

enum { BUCKETS = 1 << 12, PAGE = 1 << 16, RESTING = 1 << 10, NO_CAPTURES = ABI_HEADER_SIZE + 8 };

struct callback {
    int64_t cell;          /* first: the address that the thunk notes */
    int64_t key;           /* the function value, or the place of its code where it captures nothing */
    void *entry, *thunk;
    struct callback *next;
};

static struct callback *buckets[BUCKETS];
static struct callback *resting, **last_resting = &resting;
static int64_t resting_count;
static const char stub[] = STUB_CALLBACK;
static char *writable, *executable; /* the next thunk, as it is written and as it runs */
static size_t room;

/* --- Thunks --------------------------------------------------------------------------------------- */

static bool more_room(void) {
    int file = memfd_create("simple-callbacks", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, PAGE) != 0)
        return false;
    writable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    close(file);
    room = PAGE;
    return writable != MAP_FAILED && executable != MAP_FAILED;
}

static void *new_thunk(struct callback *callback) {
    const size_t size = (sizeof stub - 1 + 15) & ~(size_t)15;
    const void *values[] = {callback, simple_context, callback->entry};
    const size_t places[] = {STUB_CALLBACK_CELL, STUB_CALLBACK_CONTEXT, STUB_CALLBACK_ENTRY};
    if (room < size && !more_room())
        return NULL;
    memcpy(writable, stub, sizeof stub - 1);
    for (int i = 0; i < 3; i++)
        memcpy(writable + places[i], &values[i], 8);
    void *thunk = executable;
    writable += size;
    executable += size;
    room -= size;
    return thunk;
}

/* --- Pointers ------------------------------------------------------------------------------------- */

static bool captures(ref closure) {
    return simple_types[WORD(closure) & 0xFFFFFFFF].size > NO_CAPTURES;
}

static struct callback **bucket_of(int64_t key) {
    return &buckets[((uint64_t)key >> 4 ^ (uint64_t)key >> 16) % BUCKETS];
}

/* One whose function value has long been gone, or a new one. */
static struct callback *take(void *entry) {
    for (struct callback **at = &resting; resting_count > RESTING && *at != NULL; at = &(*at)->next)
        if ((*at)->entry == entry) {
            struct callback *found = *at;
            *at = found->next;
            if (last_resting == &found->next)
                last_resting = at;
            resting_count--;
            return found;
        }
    struct callback *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->entry = entry;
    made->thunk = new_thunk(made);
    return made->thunk != NULL ? made : NULL;
}

void *simple_callback(ref closure, void *entry) {
    bool weak = captures(closure);
    int64_t key = weak ? closure : WORD(closure + ABI_HEADER_SIZE);
    struct callback **bucket = bucket_of(key);
    for (struct callback *found = *bucket; found != NULL; found = found->next)
        if (found->key == key && found->entry == entry)
            return found->thunk;
    struct callback *made = take(entry);
    if (made == NULL || (!weak && !simple_pin(closure))) {
        simple_fail("OutOfMemory", "out of memory");
        return NULL;
    }
    made->key = key;
    made->cell = closure;
    made->next = *bucket;
    *bucket = made;
    return made->thunk;
}

void simple_drop_callbacks(void) {
    for (int i = 0; i < BUCKETS; i++)
        for (struct callback **at = &buckets[i]; *at != NULL;) {
            struct callback *found = *at;
            if (found->key < ABI_CONTEXT_SIZE || simple_is_alive(found->key)) {
                at = &found->next;
                continue;
            }
            *at = found->next;
            found->cell = 0;
            found->next = NULL;
            *last_resting = found;
            last_resting = &found->next;
            resting_count++;
        }
}

/* --- Calls ---------------------------------------------------------------------------------------- */

ref simple_callback_begin(void) {
    if ((int64_t)pthread_self() != CELL(ABI_OWNER)) {
        CELL(ABI_BAD_CALLBACK) = ABI_FOREIGN_THREAD;
        CELL(ABI_FAILED) = 1;
        return 0;
    }
    ref closure = WORD(CELL(ABI_CALLBACK));
    if (simple_failed())
        return 0;
    if (closure == 0)
        simple_fail("Panic", "C called a function value that the program keeps no longer");
    return closure;
}

void simple_callback_failed(void) {
    struct simple_error error = simple_take_error();
    simple_drop_way(&error.way); /* what was abandoned is told by no traceback */
    simple_record(error);
}

#else

void simple_drop_callbacks(void) {}

#endif
