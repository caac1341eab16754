#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int apus_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

/// What the new process tells before it becomes another program, and if it cannot.
struct report {
    int error;
    int enforced;
};

static void limit(int resource, uint64_t value) {
    struct rlimit bound = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &bound);
}

/// Turns the new process into the program. Everything here may be called after a fork of a process with threads.
static void become(const apus_process_options *options, pid_t parent, int report_pipe) {
    struct report report = {0};
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    // Above the numbers that they are to get, so that none is closed by the other.
    int input = options->input < 0 ? null : fcntl(options->input, F_DUPFD_CLOEXEC, 16);
    int output = fcntl(options->output, F_DUPFD_CLOEXEC, 16);
    int errors = options->errors < 0 ? output : fcntl(options->errors, F_DUPFD_CLOEXEC, 16);
    int channel = options->channel < 0 ? -1 : fcntl(options->channel, F_DUPFD_CLOEXEC, 16);
    int pipe_ = fcntl(report_pipe, F_DUPFD_CLOEXEC, 16);
    dup2(input, 0);
    dup2(output, 1);
    dup2(errors, 2);
    if (channel >= 0) dup2(channel, 3);
    // Nothing else of the server's is handed on: CLOSE_RANGE_CLOEXEC, and one by one where the kernel is older.
    unsigned first = channel >= 0 ? 4 : 3;
    if (syscall(SYS_close_range, first, ~0U, 4) != 0)
        for (unsigned number = first; number < 65536; number++) fcntl((int)number, F_SETFD, FD_CLOEXEC);
    if (options->directory && chdir(options->directory) != 0) goto failed;
    limit(RLIMIT_CORE, 0);
    if (options->memory_limit) {
        limit(RLIMIT_DATA, options->memory_limit);
        report.enforced |= APUS_ENFORCED_MEMORY;
    }
    // When memory ends, this one goes before the server.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "500", 3) < 0) { /* It then counts like any other. */ }
        close(score);
    }
    if (options->is_confined) {
        if (!options->allows_network) report.enforced |= apus_confine_network();
        report.enforced |= apus_drop_powers();
        report.enforced |= apus_confine_files(options->readable, options->writable);
        int has_network = options->allows_network || (report.enforced & APUS_ENFORCED_NETWORK_SPACE);
        report.enforced |= apus_confine_system_calls(has_network);
    }
    // Last, because a change of powers takes it back.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    if (write(pipe_, &report, sizeof report) != sizeof report) _exit(127);
    execve(options->executable, (char *const *)options->arguments, (char *const *)options->environment);
failed:
    report.error = errno;
    if (write(pipe_, &report, sizeof report) < 0) _exit(127);
    _exit(127);
}

int apus_process_start(const apus_process_options *options, apus_process *process, char *error, size_t capacity) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(error, capacity, "%s", strerror(errno));
        return -1;
    }
    pid_t self = getpid();
    pid_t child = fork();
    if (child == 0) become(options, self, ends[1]);
    int failed = child < 0 ? errno : 0;
    close(ends[1]);
    struct report report = {0};
    int reports = 0;
    while (child > 0) {
        struct report next;
        ssize_t count = read(ends[0], &next, sizeof next);
        if (count < 0 && errno == EINTR) continue;
        if (count != sizeof next) break;
        report = next;
        reports++;
    }
    close(ends[0]);
    if (child > 0 && reports == 0) failed = ECHILD;
    if (report.error) failed = report.error;
    if (failed) {
        if (child > 0)
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        snprintf(error, capacity, "%s", strerror(failed));
        return -1;
    }
    process->process = child;
    process->enforced = report.enforced;
    return 0;
}
