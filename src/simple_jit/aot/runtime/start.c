/* The start of an executable: the stack, signals, the code table, and the program's arguments. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "simple.h"

_Alignas(4096) char simple_context[ABI_CONTEXT_SIZE];
extern void simple_throw(void);

static void *stack_top;
static volatile sig_atomic_t interrupted; /* the exit status that a signal asks for, 0: none */

/* --- The entry and throw stubs, as runtime/stubs.py has them for this machine ---------------------- */

__asm__(".text\n"
        ".balign 16\n.globl simple_enter\n.hidden simple_enter\nsimple_enter:\n" STUB_ENTER
        ".balign 16\n.globl simple_throw\n.hidden simple_throw\nsimple_throw:\n" STUB_THROW);

/* --- Ctrl-C and SIGTERM --------------------------------------------------------------------------------------- */

static void set_clock(long microseconds) {
    struct itimerval clock = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &clock, NULL);
}

/* Ask for attention; where none comes in time, on_alarm ends the process (runtime/signals.py). */
static void on_signal(int signal) {
    interrupted = 128 + signal;
    *(volatile int64_t *)&CELL(ABI_LIMIT) = -1;
    set_clock(ABI_PATIENCE);
}

static void on_alarm(int signal) {
    (void)signal;
    if (interrupted)
        _exit(interrupted);
}

/* Let what is left to do take little time: nobody may be reading the output any longer. */
void simple_end_soon(int status) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    interrupted = status;
    set_clock(ABI_PATIENCE);
}

bool simple_check_interrupt(void) {
    if (!interrupted)
        return false;
    set_clock(0);
    simple_end(ENDS_INTERRUPTED, interrupted);
    interrupted = 0;
    return true;
}

int simple_wait(struct pollfd *files, int count, const struct timespec *time) {
    sigset_t blocked, usual;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &usual);
    int result = -1;
    if (interrupted)
        errno = EINTR;
    else
        result = ppoll(files, (nfds_t)count, time, &usual);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &usual, NULL);
    errno = reason;
    return result;
}

static void attend(void) {
    /* First the limit: a signal that comes in from here on asks for attention again. */
    *(volatile int64_t *)&CELL(ABI_LIMIT) = CELL(ABI_STACK_LIMIT);
    simple_check_interrupt();
}

static void take_signal(int number, void (*handler)(int)) {
    struct sigaction action, old;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler; /* no SA_RESTART: it ends reading and sleeping */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        sigaction(number, &action, NULL);
}

static void take_signals(void) {
    take_signal(SIGALRM, on_alarm);
    take_signal(SIGINT, on_signal);
    take_signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* output that nobody reads is an error of writing */
}

/* --- The stack ------------------------------------------------------------------------------------ */

/* The lowest address that the stack may grow to. Where it began to grow was decided when the process was
 * started, so what lies below it is looked up (runtime/stack.py does the same). */
static uintptr_t stack_end(void) {
    struct rlimit limit;
    uintptr_t wanted = ABI_STACK_WANTED, top = (uintptr_t)stack_top;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        if (limit.rlim_cur < wanted) {
            limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
            if (setrlimit(RLIMIT_STACK, &limit) != 0)
                getrlimit(RLIMIT_STACK, &limit);
        }
        if (limit.rlim_cur < wanted)
            wanted = limit.rlim_cur;
    }
    uintptr_t below = 0, start, end;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2)
            continue;
        if (start <= top && top <= end) {
            top = end;
            break;
        }
        below = end;
    }
    if (maps != NULL)
        fclose(maps);
    uintptr_t lowest = top - wanted;
    return lowest > below + ABI_STACK_RESERVE ? lowest : below + ABI_STACK_RESERVE;
}

void simple_set_stack_top(void *top) { stack_top = top; }

void *simple_stack_top(void) { return stack_top; }

/* --- Starting ------------------------------------------------------------------------------------- */

static void load_imports(void) {
    for (int64_t i = 0; i < PROGRAM_IMPORTS; i++) {
        void *library = dlopen(simple_imports[i].library, RTLD_NOW);
        void *found = library ? dlsym(library, simple_imports[i].name) : NULL;
        if (found == NULL) {
            fprintf(stderr, "error: cannot find `%s` in the library %s: %s\n", simple_imports[i].name,
                    simple_imports[i].library, dlerror());
            exit(1);
        }
        CELL(ABI_IMPORTS + 8 * i) = (int64_t)(uintptr_t)found;
    }
}

void simple_start(void *top) {
    stack_top = top;
    CELL(ABI_OWNER) = (int64_t)pthread_self();
    CELL(ABI_ENTER) = (int64_t)(uintptr_t)simple_enter;
    CELL(ABI_THROW) = (int64_t)(uintptr_t)simple_throw;
    CELL(ABI_POLL) = (int64_t)(uintptr_t)attend;
    CELL(ABI_STACK_LIMIT) = (int64_t)(stack_end() + ABI_STACK_RESERVE);
    CELL(ABI_LIMIT) = CELL(ABI_STACK_LIMIT);
    memcpy(&CELL(ABI_CODE), simple_code, 8 * PROGRAM_CODE);
    load_imports();
    simple_heap_start();
    simple_output_start();
}

#ifndef PROGRAM_SHARED

extern int64_t simple_main(char *context, ref arguments);

static void keep_arguments(int count, char **words) {
    ref array = simple_new_text_array(count > 0 ? count - 1 : 0);
    CELL(ABI_ARGS) = array;
    for (int i = 1; i < count && !simple_failed(); i++)
        set_item(array, i - 1, simple_decode_name(words[i], strlen(words[i])));
}

int main(int count, char **words) {
    simple_start(__builtin_frame_address(0));
    take_signals();
    keep_arguments(count, words);
    int status;
    if (simple_failed() || simple_enter(simple_context, (void *)simple_main, CELL(ABI_ARGS), 1) != 0) {
        struct simple_error error = simple_take_error();
        status = simple_report(&error);
    } else {
        status = (int)(CELL(ABI_RESULT) & 255);
    }
    return simple_finish(status);
}

#endif
