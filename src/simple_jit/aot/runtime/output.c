/* Standard output, standard error and standard input, as runtime/output.py has them.
 *
 * Library code appends to the buffer that the context describes and calls rt_write for what does not fit.
 * Where the output is a terminal the buffer has no capacity, so that each line is seen at once.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simple.h"

enum { CAPACITY = 1 << 16 };

static char buffer[CAPACITY];
static bool by_line, broken;

void simple_output_start(void) {
    by_line = isatty(1);
    CELL(ABI_OUT_DATA) = (int64_t)(uintptr_t)buffer;
    CELL(ABI_OUT_CAPACITY) = by_line ? 0 : CAPACITY;
}

/* Write all; false where that fails (errno), or is interrupted, which is recorded. */
static bool write_all(int descriptor, const char *data, size_t size) {
    while (size > 0) {
        ssize_t done = write(descriptor, data, size);
        if (done >= 0) {
            data += done;
            size -= (size_t)done;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {descriptor, POLLOUT, 0};
            if (simple_wait(&wait, 1, NULL) < 0 && simple_check_interrupt())
                return false;
        } else if (errno != EINTR || simple_check_interrupt()) {
            return false;
        }
    }
    return true;
}

static bool send(const char *data, size_t size) {
    if (broken || write_all(1, data, size))
        return true;
    int reason = errno;
    if (simple_failed())
        return false;
    broken = true;
    if (reason == EPIPE)
        simple_end(ENDS_EXIT, 1); /* nobody reads it any longer: no message */
    else
        simple_fail("IoError", "cannot write to standard output: %s", strerror(reason));
    return false;
}

bool simple_flush(void) {
    size_t size = (size_t)CELL(ABI_OUT_LEN);
    CELL(ABI_OUT_LEN) = 0;
    return size == 0 || send(buffer, size);
}

void rt_write(int64_t address, int64_t bytes) {
    const char *data = (const char *)(uintptr_t)address;
    size_t size = (size_t)bytes;
    if ((size_t)CELL(ABI_OUT_LEN) + size > CAPACITY && !simple_flush())
        return;
    if (size >= CAPACITY) {
        send(data, size);
        return;
    }
    memcpy(buffer + CELL(ABI_OUT_LEN), data, size);
    CELL(ABI_OUT_LEN) += bytes;
    if (by_line && memchr(data, '\n', size) != NULL)
        simple_flush();
}

void rt_flush(void) { simple_flush(); }

void rt_write_error(ref text) {
    if (simple_flush())
        write_all(2, text_data(text), text_size(text)); /* where that fails, nobody can be told */
}

int simple_finish(int status) {
    if (simple_flush())
        return status;
    struct simple_error error = simple_take_error();
    if (error.ending == ENDS_ERROR) {
        fprintf(stderr, "error: %s: %s\n", error.kind, error.message);
        status = 1;
    } else {
        status = error.status;
    }
    free(error.message);
    simple_drop_way(&error.way);
    return status;
}

/* --- Input ---------------------------------------------------------------------------------------- */

static char input[CAPACITY];
static size_t input_at, input_end;

/* Read more input; false at its end, and where it fails, which is recorded. */
static bool fill_input(void) {
    for (;;) {
        struct pollfd wait = {0, POLLIN, 0};
        ssize_t size = simple_wait(&wait, 1, NULL) < 0 ? -1 : read(0, input, sizeof input);
        if (size > 0) {
            input_at = 0;
            input_end = (size_t)size;
            return true;
        }
        if (size == 0)
            return false;
        if (errno != EINTR) {
            simple_fail("IoError", "cannot read standard input: %s", strerror(errno));
            return false;
        }
        if (simple_check_interrupt())
            return false;
    }
}

/* Append input up to the end of the line to `*line`; true: there is more of it. */
static bool take_part(char **line, size_t *size) {
    const char *end = memchr(input + input_at, '\n', input_end - input_at);
    size_t part = (end != NULL ? (size_t)(end - input) + 1 : input_end) - input_at;
    char *longer = realloc(*line, *size + part);
    if (longer == NULL) {
        simple_fail("OutOfMemory", "out of memory");
        return false;
    }
    memcpy(longer + *size, input + input_at, part);
    *line = longer;
    *size += part;
    input_at += part;
    return end == NULL;
}

ref rt_read_line(ref prompt) {
    rt_write((int64_t)(uintptr_t)text_data(prompt), (int64_t)text_size(prompt));
    if (simple_failed() || !simple_flush())
        return 0;
    char *line = NULL;
    size_t size = 0;
    while ((input_at < input_end || fill_input()) && take_part(&line, &size)) {
    }
    ref result = 0;
    if (!simple_failed() && size > 0) {
        if (line[size - 1] == '\n')
            size--;
        if (size > 0 && line[size - 1] == '\r')
            size--;
        result = simple_decode_text(line, size);
    }
    free(line);
    return result;
}
