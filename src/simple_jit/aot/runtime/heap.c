/* The heap, and when to collect: what runtime/heap.py and runtime/collector.py do for an engine.
 *
 * Marking and finding gaps is the compiled code of lib/core/gc.spl. It works on a block of cells and on
 * tables that are made here at the first collection. Roots: module-level variables, cells of the context,
 * and each word on the stack below `simple_stack_top`, registers included, since simple_enter saves them.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

#include "simple.h"

extern int64_t simple_gc_collect(char *context, int64_t block, int64_t roots, int64_t count);
extern int64_t simple_gc_refill(char *context, int64_t block, int64_t size);
extern uint8_t simple_gc_walk_spans(char *context, int64_t block);
extern int64_t simple_gc_free_ranges(char *context, int64_t block, int64_t keep, int64_t least, int64_t result,
                                     int64_t room);

/* The cells of the block, as lib/core/gc.spl has them. */
static struct {
    int64_t base, top, limit, starts, marks, stack, stack_top, stack_end, overflow;
    const struct simple_type *types;
    int64_t type_count, spans, spans_top, spans_end, span, swept, swept_large, old_top, allocated, budget, live,
        largest, large, chunk;
} gc;

static struct { int64_t collections, live, freed; double seconds, longest; } statistics;
static int64_t base, limit;
static bool is_reduced, is_ready, is_off, is_busy, is_full, logs;
static int64_t stress, until_stress;

enum { RANGES = 1 << 12 };

#define BLOCK ((int64_t)(uintptr_t)&gc)

/* --- Settings ------------------------------------------------------------------------------------- */

static bool parse_size(const char *setting, int64_t *result) {
    static const struct { char unit; int shift; } units[] = {{'K', 10}, {'M', 20}, {'G', 30}, {'T', 40}};
    char *end;
    if (*setting < '0' || *setting > '9')
        return false;
    unsigned long long number = strtoull(setting, &end, 10);
    int shift = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if ((*end & ~32) == units[i].unit) {
            shift = units[i].shift;
            end++;
            break;
        }
    if ((*end & ~32) == 'I')
        end++;
    if ((*end & ~32) == 'B')
        end++;
    *result = (int64_t)(number << shift);
    return *end == 0 && number > 0 && number <= (UINT64_C(1) << 62) >> shift;
}

static int64_t setting_limit(void) {
    const char *setting = getenv("SIMPLE_HEAP_MAX");
    int64_t result = 0;
    if (setting != NULL && *setting != 0 && !parse_size(setting, &result)) {
        fprintf(stderr, "error: SIMPLE_HEAP_MAX should be a size such as 512M or 2G: '%s'\n", setting);
        exit(2);
    }
    return result;
}

static int64_t new_table(int64_t size) {
    void *found = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return found == MAP_FAILED ? 0 : (int64_t)(uintptr_t)found;
}

/* Reserve `size` bytes; where the system refuses, half of what it grants, since a heap is not all. */
static int64_t reserve(int64_t size) {
    int64_t wanted = size;
    while (size >= 1 << 16) {
        base = new_table(size);
        if (base != 0 && size == wanted)
            return size;
        if (base != 0) {
            munmap((void *)(uintptr_t)base, (size_t)size);
            wanted = size = (size / 2 + 4095) & -4096;
        } else {
            size = (size / 2 + 4095) & -4096;
        }
    }
    fputs("error: cannot reserve memory for the heap (see `ulimit -v`)\n", stderr);
    exit(1);
}

void simple_heap_start(void) {
    const char *setting = getenv("SIMPLE_GC_STRESS");
    stress = until_stress = setting != NULL ? strtoll(setting, NULL, 10) : 0;
    setting = getenv("SIMPLE_GC_LOG");
    logs = setting != NULL && *setting != 0 && strcmp(setting, "0") != 0;
    limit = setting_limit();
    int64_t size = limit != 0 ? (limit + 4095) & -4096 : INT64_C(64) << 30;
    int64_t reserved = reserve(size);
    is_reduced = reserved < size;
    if (limit == 0 || limit > reserved)
        limit = reserved;
    CELL(ABI_HEAP_NEXT) = base;
    CELL(ABI_HEAP_END) = base + (stress ? 0 : limit < ABI_FIRST_BUDGET ? limit : ABI_FIRST_BUDGET);
}

/* --- Setting the collector up --------------------------------------------------------------------- */

static void turn_off(const char *why) {
    is_off = true;
    gc.budget = 0;
    if (logs)
        fprintf(stderr, "gc: turned off (%s)\n", why);
}

static void set_budget(int64_t live) {
    int64_t least = limit / 4 < ABI_FIRST_BUDGET ? limit / 4 : ABI_FIRST_BUDGET;
    gc.budget = live > least ? live : least;
}

/* Begin with all that was allocated so far as one span. */
static void get_ready(void) {
    enum { SPANS = 16 << 20 };
    int64_t bitmap = (limit >> 7) + 4096, stack = (limit >> 3) + 4096;
    is_ready = true;
    gc.starts = new_table(bitmap);
    gc.marks = new_table(bitmap);
    gc.stack = new_table(stack);
    gc.spans = new_table(SPANS);
    if (gc.starts == 0 || gc.marks == 0 || gc.stack == 0 || gc.spans == 0) {
        turn_off("no memory for its tables");
        return;
    }
    gc.types = simple_types;
    gc.type_count = PROGRAM_TYPES;
    gc.stack_end = gc.stack + stack;
    gc.spans_top = gc.spans;
    gc.spans_end = gc.spans + SPANS - 4096;
    gc.base = gc.span = gc.swept = gc.swept_large = gc.old_top = base;
    gc.top = CELL(ABI_HEAP_END);
    gc.limit = base + limit;
    gc.allocated = CELL(ABI_HEAP_NEXT) - base;
    gc.large = ABI_LARGE;
    gc.chunk = stress ? 16 : ABI_CHUNK;
    set_budget(0);
}

/* --- Collecting ----------------------------------------------------------------------------------- */

static int64_t ranges[16];
static int64_t range_count;

static void add_range(int64_t start, int64_t end) {
    ranges[range_count++] = start;
    ranges[range_count++] = end;
}

static int64_t *pins, pin_count;

bool simple_pin(ref object) {
    if ((pin_count & (pin_count - 1)) == 0) { /* a power of two, where the room is used up */
        int64_t *more = realloc(pins, (size_t)(pin_count ? 2 * pin_count : 1) * sizeof *pins);
        if (more == NULL)
            return false;
        pins = more;
    }
    pins[pin_count++] = object;
    return true;
}

bool simple_is_alive(ref object) {
    int64_t offset = object - base;
    return WORD(gc.starts + (offset >> 10 << 3)) >> (offset >> 4 & 63) & 1;
}

static int64_t run_collect(char *context, int64_t a, int64_t b) {
    (void)a, (void)b;
    return simple_gc_collect(context, BLOCK, (int64_t)(uintptr_t)ranges, range_count / 2);
}

/* Returns the bytes reached. It is entered like the program, so that all registers are on the stack. */
static int64_t mark(void) {
    int64_t context = (int64_t)(uintptr_t)simple_context;
    range_count = 0;
    add_range(context + ABI_ERROR_A, context + ABI_ERROR_B);
    add_range(context + ABI_KEPT, context + ABI_KEPT + 8);
    add_range((int64_t)(uintptr_t)pins, (int64_t)(uintptr_t)(pins + pin_count));
    add_range(context + ABI_ARGS, context + ABI_ARGS + 8);
    add_range(context + ABI_RETURNS, context + ABI_RETURNS + 8 * ABI_RETURNS_COUNT);
    add_range(context + ABI_GLOBALS, context + ABI_GLOBALS + 8 * PROGRAM_GLOBALS);
    add_range(0, (int64_t)(uintptr_t)simple_stack_top());
    int64_t result = CELL(ABI_RESULT);
    simple_enter(simple_context, (void *)run_collect, 0, 0);
    int64_t live = CELL(ABI_RESULT);
    CELL(ABI_RESULT) = result;
    return live;
}

static int64_t free_ranges(int64_t keep, int64_t least, int64_t *result) {
    return simple_gc_free_ranges(simple_context, BLOCK, keep, least, (int64_t)(uintptr_t)result, RANGES);
}

static void give_back(int64_t live) {
    static int64_t found[2 * RANGES];
    if (gc.top - base - live < gc.budget + (gc.budget >> 1))
        return;
    int64_t count = free_ranges(gc.budget, ABI_LEAST_RETURNED, found);
    for (int64_t i = 0; i < count; i++) {
        int64_t first = (found[2 * i] + 4095) & -4096, last = (found[2 * i] + found[2 * i + 1]) & -4096;
        if (last > first)
            madvise((void *)(uintptr_t)first, (size_t)(last - first), MADV_DONTNEED);
    }
}

static void poison(void) {
    static int64_t found[2 * RANGES];
    int64_t count = free_ranges(0, 16, found);
    for (int64_t i = 0; i < count; i++)
        memset((void *)(uintptr_t)found[2 * i], 0xDB, (size_t)found[2 * i + 1]);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void note(const char *cause, int64_t used, int64_t live, double seconds) {
    int64_t freed = used > live ? used - live : 0;
    statistics.collections++;
    statistics.live = live;
    statistics.freed += freed;
    statistics.seconds += seconds;
    if (seconds > statistics.longest)
        statistics.longest = seconds;
    if (logs)
        fprintf(stderr, "gc %lld: %s, %lld bytes live, %lld freed, %.2f ms\n", (long long)statistics.collections,
                cause, (long long)live, (long long)freed, seconds * 1000);
}

/* Find out what is still needed; false where there is no collector. */
static bool collect(const char *cause) {
    if (!is_ready)
        get_ready();
    if (is_busy || is_off)
        return false;
    is_busy = true;
    is_full = false;
    double started = now();
    int64_t used = gc.live + gc.allocated, live = mark();
    is_busy = false;
    if (live < 0) {
        turn_off("an object that nobody knows");
        return false;
    }
    set_budget(live);
    simple_drop_callbacks();
    if (stress) {
        poison();
        /* A deep stack would take for ever to search at each allocation. */
        until_stress = stress * (1 + (int64_t)((now() - started) * 1000));
    } else {
        give_back(live);
    }
    note(cause, used, live, now() - started);
    return true;
}

/* --- Allocation ----------------------------------------------------------------------------------- */

static int64_t fail(void) {
    is_full = true;
    if (is_reduced)
        simple_fail("OutOfMemory", "out of memory: the system grants a heap of %lld MB (see `ulimit -v`)",
                    (long long)(limit >> 20));
    else
        simple_fail("OutOfMemory", "out of memory");
    return 0;
}

/* Take memory behind all that was handed out, without a collector. */
static int64_t extend(int64_t size) {
    int64_t start = CELL(ABI_HEAP_NEXT), end = base + limit;
    if (start + size > CELL(ABI_HEAP_END) && gc.top > start)
        start = gc.top;
    if (start + size > end)
        return fail();
    int64_t after = start + size, chunk_end = after + ABI_CHUNK < end ? after + ABI_CHUNK : end;
    if (chunk_end > CELL(ABI_HEAP_END))
        CELL(ABI_HEAP_END) = chunk_end;
    CELL(ABI_HEAP_NEXT) = after;
    if (CELL(ABI_HEAP_END) > gc.top)
        gc.top = CELL(ABI_HEAP_END);
    return start;
}

static const char *due(int64_t size) {
    if (stress && --until_stress <= 0)
        return "stress";
    if (is_full)
        return "no room";
    return gc.allocated + size > gc.budget ? "budget" : NULL;
}

/* Memory from a gap or behind the top; 0 where there is none. */
static int64_t take(int64_t size) {
    if (is_off)
        return extend(size);
    int64_t found = simple_gc_refill(simple_context, BLOCK, size);
    if (found == 0 && gc.spans_top >= gc.spans_end) {
        if (!simple_gc_walk_spans(simple_context, BLOCK)) {
            turn_off("an object that nobody knows");
            return extend(size);
        }
        found = simple_gc_refill(simple_context, BLOCK, size);
    }
    return found;
}

ref rt_heap_refill(int64_t size) {
    if (size < 0 || size > limit)
        return fail();
    size = size < 16 ? 16 : (size + 15) & -16;
    if (!is_ready)
        get_ready();
    if (is_off)
        return extend(size);
    const char *cause = due(size);
    if (cause != NULL)
        collect(cause);
    int64_t found = take(size);
    if (found == 0 && cause == NULL && !simple_failed()) {
        collect("no room");
        found = take(size);
    }
    return found != 0 || simple_failed() ? found : fail();
}

/* An object of `size` zeroed bytes; 0 where there is no memory. */
static ref allocate(int64_t size, int64_t type) {
    int64_t start = CELL(ABI_HEAP_NEXT), rounded = (size + 15) & -16;
    if (rounded <= CELL(ABI_HEAP_END) - start)
        CELL(ABI_HEAP_NEXT) = start + rounded;
    else if ((start = rt_heap_refill(size)) == 0)
        return 0;
    WORD(start) = type;
    return start;
}

ref simple_new_text_counted(size_t size, int64_t chars) {
    ref text = allocate(ABI_TEXT_DATA + (int64_t)size + 1, ABI_TEXT_TYPE);
    if (text != 0) {
        WORD(text + ABI_TEXT_BYTES) = (int64_t)size;
        WORD(text + ABI_TEXT_CHARS) = chars;
    }
    return text;
}

ref simple_new_array(int64_t type, int64_t count, int64_t size) {
    ref array = allocate(ABI_ARRAY_SIZE, type);
    if (array == 0 || count == 0)
        return array;
    ref buffer = allocate(ABI_BUFFER_DATA + size * count, ABI_BUFFER_TYPE);
    if (buffer == 0)
        return 0;
    WORD(buffer + ABI_BUFFER_BYTES) = size * count;
    WORD(array + ABI_ARRAY_LEN) = WORD(array + ABI_ARRAY_CAPACITY) = count;
    WORD(array + ABI_ARRAY_DATA) = buffer + ABI_BUFFER_DATA;
    return array;
}

ref simple_new_text_array(int64_t count) { return simple_new_array(PROGRAM_TEXT_ARRAY_TYPE, count, 8); }

/* --- What programs ask (std.gc) ------------------------------------------------------------------- */

uint8_t rt_gc_collect(void) { return collect("asked for"); }
int64_t rt_gc_collections(void) { return statistics.collections; }
int64_t rt_gc_live_bytes(void) { return statistics.live; }
int64_t rt_gc_freed_bytes(void) { return statistics.freed; }
double rt_gc_seconds(void) { return statistics.seconds; }
double rt_gc_longest_pause(void) { return statistics.longest; }

int64_t rt_gc_used_bytes(void) {
    if (!is_ready)
        return CELL(ABI_HEAP_NEXT) - base;
    return gc.live + gc.allocated - (CELL(ABI_HEAP_END) - CELL(ABI_HEAP_NEXT));
}
