#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Two ends of a pipe that no other program inherits. Returns 0, or -1 with `errno`.
int apus_pipe(int ends[2]);

/// What a process is started with. Strings and lists live until the call returns; lists end with NULL.
typedef struct {
    /// An absolute path.
    const char *executable;
    const char *const *arguments;
    const char *const *environment;
    const char *directory;
    /// Becomes descriptor 3; -1 for none.
    int channel;
    /// Becomes standard input; -1 for an empty one.
    int input;
    /// Becomes standard output.
    int output;
    /// Becomes standard error; -1 for the same as standard output.
    int errors;
    /// The most bytes of private memory; 0 for no limit.
    uint64_t memory_limit;
    /// Whether it may reach other machines and this one's own ports.
    int allows_network;
    /// Whether it may only touch the files below, and do only what a model needs.
    int is_confined;
    const char *const *readable;
    const char *const *writable;
} apus_process_options;

/// What could be enforced for a process; the rest this machine does not offer.
enum {
    APUS_ENFORCED_FILES = 1,
    /// No signals to other processes.
    APUS_ENFORCED_SIGNALS = 2,
    /// A network of its own, without a way out.
    APUS_ENFORCED_NETWORK_SPACE = 4,
    APUS_ENFORCED_SYSTEM_CALLS = 8,
    APUS_ENFORCED_MEMORY = 16,
    /// Even a process of the superuser has none of its powers.
    APUS_ENFORCED_NO_POWERS = 32,
};

typedef struct {
    pid_t process;
    int enforced;
} apus_process;

/// Starts a process in a group of its own that dies with the thread that calls. Returns 0; or -1 with a text in
/// `error` when it could not be started.
int apus_process_start(const apus_process_options *options, apus_process *process, char *error, size_t capacity);
