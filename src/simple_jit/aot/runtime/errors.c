/* Errors: recorded by C functions, left behind by throws, caught by the program, shown at its end.
 *
 * The wording and the layout are those of runtime/errors.py.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simple.h"

static const char *const kinds[] = ABI_ERROR_KINDS;
static struct simple_error pending; /* what an error of kind Recorded stands for */
static struct simple_error held;    /* what ends the program, while handlers on the way out run */
static struct simple_way taken;     /* that of the error that the program took last */

void simple_record(struct simple_error error) {
    free(pending.message);
    simple_drop_way(&pending.way);
    pending = error;
    CELL(ABI_ERROR_KIND) = ABI_RECORDED;
    CELL(ABI_FAILED) = 1;
}

void simple_fail(const char *kind, const char *format, ...) {
    struct simple_error error = {.ending = ENDS_ERROR, .kind = kind};
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size >= 0 && (error.message = malloc((size_t)size + 1)) != NULL) {
        va_start(arguments, format);
        vsnprintf(error.message, (size_t)size + 1, format, arguments);
        va_end(arguments);
        error.size = (size_t)size;
    }
    simple_record(error);
}

void simple_end(int ending, int status) {
    simple_record((struct simple_error){.ending = ending, .status = status});
}

bool simple_failed(void) { return CELL(ABI_FAILED) != 0; }

static void set_message(struct simple_error *error, const char *data, size_t size) {
    error->message = malloc(size + 1);
    if (error->message != NULL) {
        memcpy(error->message, data, size);
        error->message[size] = 0;
        error->size = size;
    }
}

void simple_throw_recorded(void) {
    CELL(ABI_FAILED) = 0;
    ((void (*)(char *, int64_t, int64_t, int64_t, int64_t))(uintptr_t)CELL(ABI_THROW))(simple_context, ABI_RECORDED,
                                                                                      0, 0, 0);
    abort();
}

static const char *fixed_message(const char *kind) {
    static const char *const messages[][2] = {
        {"NilError", "unwrapped nil"},         {"DivisionByZero", "division by zero"},
        {"Overflow", "integer overflow"},      {"StackOverflow", "stack overflow"},
        {"OutOfMemory", "out of memory"},
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strcmp(kind, messages[i][0]) == 0)
            return messages[i][1];
    return "";
}

struct simple_error simple_take_error(void) {
    struct simple_error error = {.ending = ENDS_ERROR};
    int64_t number = CELL(ABI_ERROR_KIND), site = CELL(ABI_ERROR_SITE);
    int64_t a = CELL(ABI_ERROR_A), b = CELL(ABI_ERROR_B);
    CELL(ABI_FAILED) = 0;
    if (number == ABI_RECORDED) {
        if (CELL(ABI_BAD_CALLBACK) != 0 && pending.ending == ENDS_NOT)
            simple_fail("Panic", "C called a function of the program from a thread of its own");
        CELL(ABI_BAD_CALLBACK) = CELL(ABI_FAILED) = 0;
        error = pending;
        pending = (struct simple_error){0};
        if (error.site == 0)
            error.site = site;
        simple_add_stretch(&error.way);
        return error;
    }
    simple_add_stretch(&error.way);
    error.kind = kinds[number];
    error.site = site;
    if (b == ABI_MESSAGE) {
        set_message(&error, text_data(a), text_size(a));
    } else if (strcmp(error.kind, "IndexError") == 0) {
        char text[96];
        int size = snprintf(text, sizeof text, "index %lld is out of range for length %lld", (long long)a,
                            (long long)b);
        set_message(&error, text, (size_t)size);
    } else {
        const char *text = fixed_message(error.kind);
        set_message(&error, text, strlen(text));
    }
    return error;
}

/* --- What the program does with errors (lib/core/error.spl) --------------------------------------- */

ref rt_error_take(void) {
    struct simple_error error = simple_take_error();
    if (error.ending != ENDS_ERROR) {
        held = error;
        return simple_new_text_array(0);
    }
    CELL(ABI_ERROR_SITE) = error.site;
    ref parts = simple_new_text_array(2);
    if (parts != 0) {
        set_item(parts, 0, simple_new_text(error.kind, strlen(error.kind)));
        set_item(parts, 1, simple_new_text(error.message ? error.message : "", error.size));
    }
    free(error.message);
    simple_drop_way(&taken);
    taken = error.way;
    return parts;
}

void rt_error_end(void) {
    simple_record(held);
    held = (struct simple_error){0};
}

/* Keep where the error came through that was just caught: it was taken, or its record has its message. */
int64_t rt_error_keep(void) {
    struct simple_way way = {NULL, 0, 0};
    if (CELL(ABI_ERROR_KIND) == ABI_RECORDED || CELL(ABI_ERROR_B) != ABI_MESSAGE) {
        way = taken;
        taken = (struct simple_way){NULL, 0, 0};
    } else {
        simple_add_stretch(&way);
    }
    return simple_keep_way(way);
}

void rt_error_throw(ref kind, ref message, int64_t site, int64_t way) {
    struct simple_error error = {.ending = ENDS_ERROR, .kind = "Thrown", .site = site, .way = simple_copy_way(way)};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i]) == text_size(kind) && memcmp(kinds[i], text_data(kind), text_size(kind)) == 0)
            error.kind = kinds[i];
    set_message(&error, text_data(message), text_size(message));
    simple_record(error);
}

ref rt_site_file(int64_t site) {
    const char *file = site ? simple_strings + simple_sites[site].file : "";
    return simple_new_text(file, strlen(file));
}

int64_t rt_site_line(int64_t site) { return site ? simple_sites[site].line : 0; }

void rt_exit(int64_t status) { simple_end(ENDS_EXIT, (int)(status & 255)); }

ref rt_function_name(int64_t code) {
    const char *name = simple_strings + simple_code_names[(code - ABI_CODE) / 8];
    return simple_new_text(name, strlen(name));
}

/* --- Showing an error that nothing caught --------------------------------------------------------- */

struct style { const char *error, *frame, *bold, *end; };

static bool wants_color(void) {
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(2) && (no == NULL || *no == 0) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static void show_place(FILE *to, const struct simple_site *site, const struct style *s) {
    char line[16];
    int width = snprintf(line, sizeof line, "%u", site->line);
    fprintf(to, "%*s %s-->%s %s:%u:%u\n", width, "", s->frame, s->end, simple_strings + site->file, site->line,
            site->column);
    if (!site->has_line)
        return;
    fprintf(to, "%s %*s |%s\n", s->frame, width, "", s->end);
    fprintf(to, "%s %s |%s %s\n", s->frame, line, s->end, simple_strings + site->shown);
    fprintf(to, "%s %*s |%s %*s%s^%s\n", s->frame, width, "", s->end, (int)site->before, "", s->error, s->end);
}

static void show(const struct simple_error *error) {
    static const struct style plain = {"", "", "", ""};
    static const struct style colored = {"\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};
    const struct style *s = wants_color() ? &colored : &plain;
    struct simple_way frames = simple_frames(error);
    int64_t site = error->site;
    if (strcmp(error->kind, "StackOverflow") == 0 && frames.count > 0 && frames.sites[0] > 0)
        site = frames.sites[0]; /* the same in all tiers */
    fprintf(stderr, "%serror%s%s: %s: ", s->error, s->end, s->bold, error->kind);
    fwrite(error->message ? error->message : "", 1, error->size, stderr);
    fprintf(stderr, "%s\n", s->end);
    if (site != 0) {
        show_place(stderr, &simple_sites[site], s);
        simple_show_calls(stderr, &frames, snprintf(NULL, 0, "%u", simple_sites[site].line), s->frame, s->end);
    }
    simple_drop_way(&frames);
    fflush(stderr);
}

int simple_report(struct simple_error *error) {
    int status = 1;
    if (error->ending == ENDS_EXIT)
        status = error->status;
    else if (error->ending == ENDS_INTERRUPTED) {
        status = error->status;
        simple_end_soon(status);
    } else {
        simple_finish(1);
        show(error);
    }
    free(error->message);
    error->message = NULL;
    simple_drop_way(&error->way);
    return status;
}
