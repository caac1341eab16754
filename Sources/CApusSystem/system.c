#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>
#include "apus_system.h"
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/vfs.h>

uint64_t apus_file_system_type(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (uint64_t)(uint32_t)status.f_type : 0;
}

const int apus_attach_filter = SO_ATTACH_FILTER;

_Static_assert(sizeof(struct apus_filter) == sizeof(struct sock_fprog), "the kernel's layout");

struct apus_filter apus_no_new_connections(void) {
    // A filter on a TCP socket sees the packet from its TCP header on; the flags are in byte 13, SYN is 2.
    static const struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    return (struct apus_filter){sizeof instructions / sizeof *instructions, instructions};
}

const int apus_tcp_info_option = TCP_INFO;

uint64_t apus_acknowledged_bytes(struct apus_tcp_info info) {
    _Static_assert(offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(uint64_t) <= sizeof(info), "tcp_info");
    uint64_t bytes;
    memcpy(&bytes, (const char *)&info + offsetof(struct tcp_info, tcpi_bytes_acked), sizeof(bytes));
    return bytes;
}
