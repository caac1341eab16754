#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's interface of Landlock, written down here because the headers of a build machine may be older.
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct landlock_rules {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};
struct __attribute__((packed)) landlock_below {
    uint64_t allowed;
    int32_t parent;
};

enum {
    FILE_EXECUTE = 1 << 0,
    FILE_WRITE = 1 << 1,
    FILE_READ = 1 << 2,
    FOLDER_READ = 1 << 3,
    FILE_TRUNCATE = 1 << 14,
    DEVICE_CONTROL = 1 << 15,
    READING = FILE_EXECUTE | FILE_READ | FOLDER_READ,
    ONLY_FILES = FILE_EXECUTE | FILE_WRITE | FILE_READ | FILE_TRUNCATE | DEVICE_CONTROL,
};

static void allow(int rules, const char *path, uint64_t rights) {
    struct landlock_below rule = {.allowed = rights, .parent = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0) return;
    struct stat status;
    if (fstat(rule.parent, &status) == 0) {
        if (!S_ISDIR(status.st_mode)) rule.allowed &= ONLY_FILES;
        syscall(SYS_landlock_add_rule, rules, 1, &rule, 0);
    }
    close(rule.parent);
}

int apus_confine_files(const char *const *readable, const char *const *writable) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1) return 0;
    struct landlock_rules wanted = {.files = (1 << 13) - 1};
    if (version >= 2) wanted.files |= 1 << 13;
    if (version >= 3) wanted.files |= FILE_TRUNCATE;
    if (version >= 5) wanted.files |= DEVICE_CONTROL;
    // Neither abstract sockets nor signals reach out of it.
    if (version >= 6) wanted.scoped = 3;
    size_t size = version >= 6 ? sizeof wanted : version >= 4 ? 16 : 8;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (rules < 0) return 0;
    for (; *readable; readable++) allow(rules, *readable, READING & wanted.files);
    for (; *writable; writable++) allow(rules, *writable, wanted.files);
    long failed = syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    return failed ? 0 : APUS_ENFORCED_FILES | (version >= 6 ? APUS_ENFORCED_SIGNALS : 0);
}

static void write_file(const char *path, const char *text, size_t length) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, text, length) < 0) { /* It then stays as it was. */ }
    close(file);
}

/// `number number 1`, without the library's printf, which must not be called here.
static size_t map_line(char *line, unsigned number) {
    char digits[12];
    size_t count = 0, length = 0;
    do digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t place = count; place > 0; place--) line[length++] = digits[place - 1];
        line[length++] = ' ';
    }
    line[length++] = '1';
    return length;
}

int apus_confine_network(void) {
    unsigned user = geteuid(), group = getegid();
    if (unshare(CLONE_NEWNET) != 0) {
        // Whoever has no powers gets them in a space of users of its own, where they are worth nothing else.
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 0;
        char line[32];
        write_file("/proc/self/setgroups", "deny", 4);
        write_file("/proc/self/uid_map", line, map_line(line, user));
        write_file("/proc/self/gid_map", line, map_line(line, group));
    }
    // Libraries that talk to themselves by the loopback still may.
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ >= 0) {
        struct ifreq request = {0};
        memcpy(request.ifr_name, "lo", 3);
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        ioctl(socket_, SIOCSIFFLAGS, &request);
        close(socket_);
    }
    return APUS_ENFORCED_NETWORK_SPACE;
}

int apus_drop_powers(void) {
    for (int power = 0; power < 64; power++) prctl(PR_CAPBSET_DROP, power, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    if (syscall(SYS_capset, &header, none) != 0) return 0;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? APUS_ENFORCED_NO_POWERS : 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM)
#define PERMIT(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), ANSWER(SECCOMP_RET_ALLOW)

int apus_confine_system_calls(int allows_network) {
#ifdef ARCHITECTURE
    struct sock_filter head[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        ANSWER(SECCOMP_RET_ERRNO | EPERM),
        LOAD(nr),
        // The calls of the other numbering of x86 would go past the list.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
        REFUSE(SYS_ptrace),
        REFUSE(SYS_process_vm_readv),
        REFUSE(SYS_process_vm_writev),
        REFUSE(SYS_mount),
        REFUSE(SYS_umount2),
        REFUSE(SYS_pivot_root),
        REFUSE(SYS_chroot),
        REFUSE(SYS_setns),
        REFUSE(SYS_unshare),
        REFUSE(SYS_bpf),
        REFUSE(SYS_perf_event_open),
        REFUSE(SYS_userfaultfd),
        REFUSE(SYS_keyctl),
        REFUSE(SYS_add_key),
        REFUSE(SYS_request_key),
        REFUSE(SYS_init_module),
        REFUSE(SYS_finit_module),
        REFUSE(SYS_delete_module),
        REFUSE(SYS_kexec_load),
        REFUSE(SYS_open_by_handle_at),
        REFUSE(SYS_swapon),
        REFUSE(SYS_reboot),
        // Its queues would go past this filter.
        REFUSE(425 /* io_uring_setup */),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        LOAD(args[0]),
        PERMIT(AF_UNIX),
    };
    struct sock_filter network[] = {PERMIT(AF_INET), PERMIT(AF_INET6), PERMIT(AF_NETLINK)};
    struct sock_filter end[] = {ANSWER(SECCOMP_RET_ERRNO | EACCES)};
    struct sock_filter whole[sizeof head / sizeof *head + sizeof network / sizeof *network + 1];
    size_t count = sizeof head / sizeof *head;
    memcpy(whole, head, sizeof head);
    if (allows_network) {
        memcpy(whole + count, network, sizeof network);
        count += sizeof network / sizeof *network;
    }
    memcpy(whole + count, end, sizeof end);
    struct sock_fprog program = {.len = (unsigned short)(count + 1), .filter = whole};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return APUS_ENFORCED_SYSTEM_CALLS;
#endif
    return 0;
}
