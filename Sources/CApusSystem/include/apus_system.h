#pragma once
#include <stdint.h>

/// The type of the file system that holds a path, as statfs(2) names it; 0 when it cannot be told.
uint64_t apus_file_system_type(const char *path);

/// The name of the socket option that takes a filter.
extern const int apus_attach_filter;

/// The kernel's `sock_fprog`; the instructions are constant and stay.
struct __attribute__((swift_attr("@Sendable"))) apus_filter {
    unsigned short count;
    const void *instructions;
};

/// A filter for a listening TCP socket that drops what would open a connection, and nothing else.
struct apus_filter apus_no_new_connections(void);

/// What the kernel tells of a TCP connection: its `tcp_info`, as far as it is used.
struct __attribute__((swift_attr("@Sendable"))) apus_tcp_info {
    uint64_t words[16];
};

/// The name of the socket option that gives it, at the level of TCP.
extern const int apus_tcp_info_option;

/// The bytes that the other side has acknowledged since the connection was made.
uint64_t apus_acknowledged_bytes(struct apus_tcp_info info);
