/* Files, the environment, other programs and time, as runtime/runtime_functions.py has them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "simple.h"

extern char **environ;

/* Bytes that grow. */
struct bytes { char *data; size_t size, room; };

static bool make_room(struct bytes *b, size_t more) {
    if (b->size + more <= b->room)
        return true;
    size_t room = 2 * (b->size + more);
    char *data = realloc(b->data, room);
    if (data == NULL) {
        simple_fail("OutOfMemory", "out of memory");
        return false;
    }
    b->data = data;
    b->room = room;
    return true;
}

static void fail_io(const char *what, const char *name, int reason) {
    simple_fail("IoError", "cannot %s %s: %s", what, name, strerror(reason));
}

/* The name of a file, to be freed; NULL: it cannot be one, which is recorded. */
static char *file_name(const char *what, ref path) {
    char *name = simple_encode_name(path);
    if (name == NULL)
        simple_fail("IoError", "cannot %s %s: embedded null byte", what, text_data(path));
    return name;
}

/* --- Files ---------------------------------------------------------------------------------------- */

/* Read all of a file; false where that fails (errno), or is interrupted. */
static bool read_all(int file, struct bytes *to) {
    for (;;) {
        if (!make_room(to, 1 << 16))
            return false;
        ssize_t size = read(file, to->data + to->size, 1 << 16);
        if (size > 0)
            to->size += (size_t)size;
        else if (size == 0)
            return true;
        else if (errno != EINTR || simple_check_interrupt())
            return false;
    }
}

ref rt_file_read_text(ref path) {
    char *name = file_name("read", path);
    if (name == NULL)
        return 0;
    struct bytes content = {NULL, 0, 0};
    struct stat about;
    ref result = 0;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && fstat(file, &about) == 0 && S_ISDIR(about.st_mode))
        fail_io("read", name, EISDIR);
    else if (file < 0 || !read_all(file, &content)) {
        if (!simple_failed())
            fail_io("read", name, errno);
    } else if (!simple_is_utf8(content.data, content.size))
        simple_fail("IoError", "cannot read %s: it is not UTF-8 text", name);
    else
        result = simple_new_text(content.data, content.size);
    if (file >= 0)
        close(file);
    free(content.data);
    free(name);
    return result;
}

static uint8_t write_file(ref path, ref content, int mode) {
    char *name = file_name("write", path);
    if (name == NULL)
        return 0;
    int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666);
    const char *data = text_data(content);
    size_t left = text_size(content);
    bool failed = file < 0;
    while (!failed && left > 0) {
        ssize_t size = write(file, data, left);
        if (size >= 0) {
            data += size;
            left -= (size_t)size;
        } else {
            failed = errno != EINTR || simple_check_interrupt();
        }
    }
    int reason = errno;
    if (file >= 0 && close(file) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    if (failed && !simple_failed())
        fail_io("write", name, reason);
    free(name);
    return !failed;
}

uint8_t rt_file_write_text(ref path, ref content) { return write_file(path, content, O_TRUNC); }

uint8_t rt_file_append_text(ref path, ref content) { return write_file(path, content, O_APPEND); }

uint8_t rt_file_exists(ref path) {
    char *name = simple_encode_name(path);
    struct stat about;
    bool found = name != NULL && stat(name, &about) == 0;
    free(name);
    return found;
}

uint8_t rt_file_delete(ref path) {
    char *name = file_name("delete", path);
    if (name == NULL)
        return 0;
    bool done = unlink(name) == 0;
    if (!done && errno != ENOENT)
        fail_io("delete", name, errno);
    free(name);
    return done;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ref names_array(char **names, size_t count) {
    qsort(names, count, sizeof *names, compare_names);
    ref array = simple_new_text_array((int64_t)count);
    for (size_t i = 0; i < count && !simple_failed(); i++)
        set_item(array, (int64_t)i, simple_decode_name(names[i], strlen(names[i])));
    return array;
}

ref rt_dir_list(ref path) {
    char *name = file_name("list", path);
    if (name == NULL)
        return 0;
    struct bytes names = {NULL, 0, 0};
    size_t count = 0;
    DIR *folder = opendir(*name != 0 ? name : "");
    struct dirent *entry;
    if (folder == NULL)
        fail_io("list", name, errno);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *copy = strdup(entry->d_name);
        if (copy == NULL || !make_room(&names, sizeof copy))
            break;
        memcpy(names.data + names.size, &copy, sizeof copy);
        names.size += sizeof copy;
        count++;
    }
    if (folder != NULL)
        closedir(folder);
    ref result = simple_failed() ? 0 : names_array((char **)(void *)names.data, count);
    for (size_t i = 0; i < count; i++)
        free(((char **)(void *)names.data)[i]);
    free(names.data);
    free(name);
    return result;
}

/* --- The environment ------------------------------------------------------------------------------ */

ref rt_env_get(ref name) {
    char *key = simple_encode_name(name);
    const char *value = key != NULL && strchr(key, '=') == NULL ? getenv(key) : NULL;
    free(key);
    return value != NULL ? simple_decode_name(value, strlen(value)) : 0;
}

void rt_env_set(ref name, ref value) {
    char *key = simple_encode_name(name), *content = simple_encode_name(value);
    if (key == NULL || content == NULL)
        simple_fail("IoError", "cannot set %s: embedded null byte", text_data(name));
    else if (strchr(key, '=') != NULL)
        simple_fail("IoError", "cannot set %s: illegal environment variable name", key);
    else if (setenv(key, content, 1) != 0)
        simple_fail("IoError", "cannot set %s: %s", key, strerror(errno));
    free(key);
    free(content);
}

ref rt_args(void) { return CELL(ABI_ARGS) != 0 ? CELL(ABI_ARGS) : simple_new_text_array(0); }

/* --- Other programs ------------------------------------------------------------------------------- */

/* Read both pipes to their ends; false: interrupted. */
static bool collect_output(int pipes[2], struct bytes results[2]) {
    struct pollfd wait[2] = {{pipes[0], POLLIN, 0}, {pipes[1], POLLIN, 0}};
    while (wait[0].fd >= 0 || wait[1].fd >= 0) {
        if (simple_wait(wait, 2, NULL) < 0) {
            if (errno == EINTR && simple_check_interrupt())
                return false;
            continue;
        }
        for (int i = 0; i < 2; i++) {
            if (wait[i].fd < 0 || wait[i].revents == 0)
                continue;
            if (!make_room(&results[i], 1 << 16))
                return false;
            ssize_t size = read(wait[i].fd, results[i].data + results[i].size, 1 << 16);
            if (size > 0)
                results[i].size += (size_t)size;
            else if (size == 0 || errno != EINTR)
                wait[i].fd = -1;
        }
    }
    return true;
}

static int start_process(pid_t *process, char **words, int outputs[2]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, outputs[0], 1);
    posix_spawn_file_actions_adddup2(&actions, outputs[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int problem = posix_spawnp(process, words[0], &actions, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return problem;
}

static ref process_results(const struct bytes results[2], int status) {
    char code[16];
    snprintf(code, sizeof code, "%d", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    ref array = simple_new_text_array(3);
    if (array == 0)
        return 0;
    for (int i = 0; i < 2; i++)
        set_item(array, i, simple_decode_text(results[i].data, results[i].size));
    set_item(array, 2, simple_new_text(code, strlen(code)));
    return array;
}

/* Run a program to its end. */
static ref run_words(char **words) {
    struct bytes results[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    int first[2], second[2], status = 0;
    pid_t process;
    if (pipe2(first, O_CLOEXEC) != 0) {
        fail_io("run", words[0], errno);
        return 0;
    }
    if (pipe2(second, O_CLOEXEC) != 0) {
        fail_io("run", words[0], errno);
        close(first[0]);
        close(first[1]);
        return 0;
    }
    int problem = start_process(&process, words, (int[2]){first[1], second[1]});
    close(first[1]);
    close(second[1]);
    ref result = 0;
    if (problem != 0) {
        fail_io("run", words[0], problem);
    } else {
        if (!collect_output((int[2]){first[0], second[0]}, results))
            kill(process, SIGKILL);
        while (waitpid(process, &status, 0) < 0 && errno == EINTR && !simple_check_interrupt()) {
        }
        result = simple_failed() ? 0 : process_results(results, status);
    }
    close(first[0]);
    close(second[0]);
    free(results[0].data);
    free(results[1].data);
    return result;
}

ref rt_process_run(ref command, ref args) {
    int64_t count = array_length(args);
    char **words = calloc((size_t)count + 2, sizeof *words);
    if (words == NULL) {
        simple_fail("OutOfMemory", "out of memory");
        return 0;
    }
    for (int64_t i = 0; i <= count && !simple_failed(); i++)
        if ((words[i] = simple_encode_name(i == 0 ? command : array_item(args, i - 1))) == NULL)
            simple_fail("IoError", "cannot run %s: embedded null byte", text_data(command));
    ref result = !simple_failed() && simple_flush() ? run_words(words) : 0;
    for (int64_t i = 0; i <= count; i++)
        free(words[i]);
    free(words);
    return result;
}

/* --- Time ----------------------------------------------------------------------------------------- */

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double rt_time_now(void) { return now(CLOCK_REALTIME); }

int64_t rt_time_mono_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void rt_sleep(double seconds) {
    if (!simple_flush() || !(seconds > 0))
        return;
    double end = now(CLOCK_MONOTONIC) + seconds;
    while ((seconds = end - now(CLOCK_MONOTONIC)) > 0) {
        if (seconds > 1e6)
            seconds = 1e6;
        struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        if (simple_wait(NULL, 0, &left) < 0 && simple_check_interrupt())
            return;
    }
}

/* --- What surrounds calls of foreign functions (lower/foreign.py) --------------------------------- */

int *rt_errno_address(void) { return &errno; }

/* There are no other threads that could go on meanwhile. */
void *rt_python_leave(void) { return NULL; }

void rt_python_enter(void *state) { (void)state; }
