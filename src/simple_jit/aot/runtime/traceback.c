/* Tracebacks: the calls that an error came through, as engine/tracebacks.py finds and runtime/errors.py
 * shows them.
 *
 * A throw leaves a copy of the stack that it abandons at ABI_STACK, whole or both ends of it. The table
 * simple_calls, made of LLVM's stack maps, tells of each return address how large the frame is and which
 * sites the call has: that in the function itself last, before it those of what was inlined there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simple.h"

enum {
    GAP = -1,       /* calls are missing here */
    WAYS = 64,      /* of errors that were caught last */
    UNCERTAIN = 3,  /* frames to leave out where a walk starts in the middle of a stack */
    RECURRING = 50, /* innermost calls among which are all that recur, where the stack has overflowed */
    SHOWN = 8,      /* calls that are shown at either end of a long traceback */
    REPEATED = 3,   /* calls in a row at the same line that are all shown */
};

extern char simple_main[];

/* --- Ways: numbers of sites, innermost first ------------------------------------------------------- */

static void push(struct simple_way *way, int32_t site) {
    if (way->count == way->room) {
        int room = way->room ? 2 * way->room : 16;
        int32_t *sites = realloc(way->sites, (size_t)room * sizeof *sites);
        if (sites == NULL)
            return; /* the traceback is shorter then */
        way->sites = sites;
        way->room = room;
    }
    way->sites[way->count++] = site;
}

void simple_drop_way(struct simple_way *way) {
    free(way->sites);
    *way = (struct simple_way){NULL, 0, 0};
}

static void append(struct simple_way *to, const struct simple_way *from, int skipped) {
    for (int i = skipped; i < from->count; i++)
        push(to, from->sites[i]);
}

/* --- Walking the stack ----------------------------------------------------------------------------- */

static const struct simple_call *call_at(int64_t address) {
    int64_t offset = address - (int64_t)(uintptr_t)simple_main;
    int64_t low = 0, high = PROGRAM_CALLS;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (simple_calls[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < PROGRAM_CALLS && simple_calls[low].offset == offset ? &simple_calls[low] : NULL;
}

/* Walk outwards from the return address at `words[at]`; false: not to the landing place at the end. */
static bool walk(const int64_t *words, int64_t count, int64_t at, struct simple_way *way) {
    while (at < count) {
        const struct simple_call *call = call_at(words[at]);
        if (call == NULL)
            return at == count - 1; /* what returns to the entry stub */
        const uint32_t *sites = &simple_call_sites[call->sites];
        for (uint32_t i = 1; i <= sites[0]; i++)
            if (sites[i] != 0)
                push(way, (int32_t)sites[i]);
        at += 1 + call->frame / 8;
    }
    return false;
}

/* Walk from as far inside as there is a way to the end: any word may look like a return address, but the
 * frames that it stands for lead there only if they are frames, perhaps but for the first few. */
static void walk_outermost(const int64_t *words, int64_t count, struct simple_way *way) {
    struct simple_way found = {NULL, 0, 0};
    for (int64_t start = 0; start < count; start++) {
        found.count = 0;
        if (call_at(words[start]) != NULL && walk(words, count, start, &found)) {
            append(way, &found, UNCERTAIN);
            break;
        }
    }
    simple_drop_way(&found);
}

void simple_add_stretch(struct simple_way *way) {
    int64_t pointer = CELL(ABI_STACK), size = CELL(ABI_STACK + 8) - pointer;
    const int64_t *words = &CELL(ABI_STACK + 16);
    if (pointer == 0)
        return;
    CELL(ABI_STACK) = 0;
    int64_t inner = size < ABI_STACK_END ? size : ABI_STACK_END;
    int64_t outer = size - inner < ABI_STACK_END ? size - inner : ABI_STACK_END;
    walk(words, inner / 8, 0, way);
    if (outer > 0) {
        push(way, GAP);
        walk_outermost(words + inner / 8, outer / 8, way);
    }
}

/* --- Ways of caught errors, should they be thrown again --------------------------------------------- */

static struct simple_way ways[WAYS];
static int64_t way_count;

int64_t simple_keep_way(struct simple_way way) {
    way_count++;
    simple_drop_way(&ways[way_count % WAYS]);
    ways[way_count % WAYS] = way;
    return way_count;
}

struct simple_way simple_copy_way(int64_t number) {
    struct simple_way copy = {NULL, 0, 0};
    if (number > 0 && number > way_count - WAYS)
        append(&copy, &ways[number % WAYS], 0);
    return copy;
}

/* --- Which calls to show ---------------------------------------------------------------------------- */

/* Leave out what is not written in the program. A guarded part is called by its function, or a part around
 * it, of the same call: that is one. */
static struct simple_way written(const struct simple_way *way) {
    struct simple_way result = {NULL, 0, 0};
    const struct simple_function *inner = &simple_functions[0];
    bool is_gap = false;
    for (int i = 0; i < way->count; i++) {
        is_gap = is_gap || way->sites[i] == GAP;
        for (int32_t site = way->sites[i] == GAP ? 0 : way->sites[i]; site != 0;
             site = (int32_t)simple_sites[site].caller) {
            const struct simple_function *function = &simple_functions[simple_sites[site].function];
            if (function == &simple_functions[0])
                continue;
            if (!inner->is_part || inner->whole != function->whole) {
                if (is_gap)
                    push(&result, GAP);
                is_gap = false;
                push(&result, site);
            }
            inner = function;
        }
    }
    return result;
}

static bool recurs(const struct simple_way *way, uint32_t function) {
    for (int i = 0; i < way->count && i < RECURRING; i++)
        if (way->sites[i] != GAP && simple_sites[way->sites[i]].function == function)
            return true;
    return false;
}

/* Where the stack has overflowed: the declaration of the function that recurs first, a gap, the way to it. */
static struct simple_way first_round(struct simple_way way) {
    struct simple_way kept = {NULL, 0, 0}, result = {NULL, 0, 0};
    int32_t recurring = 0;
    for (int i = way.count - 1; i >= 0 && way.sites[i] != GAP; i--) {
        const struct simple_site *site = &simple_sites[way.sites[i]];
        bool is_seen = false;
        for (int j = 0; j < kept.count && !is_seen; j++) {
            const struct simple_site *other = &simple_sites[kept.sites[j]];
            is_seen = other->function == site->function && other->line == site->line;
        }
        if (is_seen)
            break;
        push(&kept, way.sites[i]);
        if (recurring == 0 && recurs(&way, site->function))
            recurring = (int32_t)simple_functions[site->function].declaration;
    }
    if (kept.count == 0)
        return way;
    push(&result, recurring != 0 ? recurring : way.sites[0]);
    push(&result, GAP);
    for (int i = kept.count - 1; i >= 0; i--)
        push(&result, kept.sites[i]);
    simple_drop_way(&kept);
    simple_drop_way(&way);
    return result;
}

struct simple_way simple_frames(const struct simple_error *error) {
    struct simple_way result = written(&error->way);
    return strcmp(error->kind, "StackOverflow") == 0 ? first_round(result) : result;
}

/* --- Showing them ----------------------------------------------------------------------------------- */

static bool is_same_line(int32_t a, int32_t b) {
    const struct simple_site *s = &simple_sites[a], *t = &simple_sites[b];
    return a != GAP && b != GAP && s->file == t->file && s->line == t->line &&
           simple_functions[s->function].name == simple_functions[t->function].name;
}

/* Put a gap in place of all but the first of many calls at the same line. */
static struct simple_way without_repetition(const int32_t *sites, int count) {
    struct simple_way result = {NULL, 0, 0};
    for (int i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && is_same_line(sites[i], sites[end]); end++) {
        }
        bool is_long = end - i > REPEATED;
        for (int j = i; j < (is_long ? i + 2 : end); j++) {
            int32_t site = is_long && j > i ? GAP : sites[j];
            if (site != GAP || result.count == 0 || result.sites[result.count - 1] != GAP)
                push(&result, site);
        }
    }
    return result;
}

static uint32_t widest(const struct simple_way *way, bool of_places, uint32_t most) {
    uint32_t result = 0;
    for (int i = 0; i < way->count; i++) {
        if (way->sites[i] == GAP)
            continue;
        const struct simple_site *site = &simple_sites[way->sites[i]];
        uint32_t width = of_places ? site->place_width : simple_functions[site->function].width;
        result = width > result ? width : result;
    }
    return result < most ? result : most;
}

static void show_row(FILE *to, int32_t number, uint32_t function_width, uint32_t place_width) {
    const struct simple_site *site = &simple_sites[number];
    const struct simple_function *function = &simple_functions[site->function];
    const char *line = simple_strings + site->stripped;
    fprintf(to, "%s%*s  %s:%u", simple_strings + function->name,
            function->width < function_width ? (int)(function_width - function->width) : 0, "",
            simple_strings + site->file, site->line);
    if (*line != 0)
        fprintf(to, "%*s  %s", site->place_width < place_width ? (int)(place_width - site->place_width) : 0, "",
                line);
}

void simple_show_calls(FILE *to, const struct simple_way *frames, int margin, const char *color,
                       const char *plain) {
    if (frames->count < 2 || frames->sites[0] == GAP)
        return;
    const struct simple_function *innermost = &simple_functions[simple_sites[frames->sites[0]].function];
    fprintf(to, "%s %*s =%s in %s, called from\n", color, margin, "", plain, simple_strings + innermost->name);
    struct simple_way way = without_repetition(frames->sites + 1, frames->count - 1);
    if (way.count > 2 * SHOWN + 1) {
        way.sites[SHOWN] = GAP;
        memmove(way.sites + SHOWN + 1, way.sites + way.count - SHOWN, SHOWN * sizeof *way.sites);
        way.count = 2 * SHOWN + 1;
    }
    uint32_t function_width = widest(&way, false, 40), place_width = widest(&way, true, 60);
    for (int i = 0; i < way.count; i++) {
        fprintf(to, "   %*s   ", margin, "");
        if (way.sites[i] == GAP)
            fputs("\xE2\x80\xA6", to);
        else
            show_row(to, way.sites[i], function_width, place_width);
        fputc('\n', to);
    }
    simple_drop_way(&way);
}
