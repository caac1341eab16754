// Sends one request over and over to a server on this machine, by HTTP/1.1 or gRPC, and prints what came back as JSON.
//
//   load PORT REQUEST_FILE CONNECTIONS SECONDS RATE [GRPC_PATH]
//
// REQUEST_FILE holds the whole HTTP request, or the message of a gRPC call to GRPC_PATH.
// RATE 0 is a closed loop: every connection sends as soon as it has its answer. Otherwise requests are due at constant
// intervals, whatever the server does, and are sent by the first connection that is free; a latency counts from when the
// request was due, not from when it could be sent, so a server that stalls pays for all who would have come meanwhile.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 16384, WARM_UP_MS = 300 };

typedef struct {
    int fd;
    int busy, wants_write;
    uint64_t due;
    char *out;
    size_t out_size, out_sent, out_capacity;
    char *in;
    size_t in_size, in_capacity;
    // gRPC
    uint32_t stream;
    int64_t connection_window, stream_window, initial_window;
    size_t body_sent, answer_bytes;
    uint64_t unacknowledged;
} Connection;

static int port, epoll, timer;
static const char *path;
static char *request;
static size_t request_size;
static double rate;
static uint64_t begin, end, measured_from;
static uint64_t *latencies;
static size_t count, capacity, failed, answered, late;
static uint64_t scheduled;
static Connection *connections;
static int connection_count;

static void stop(const char *reason) {
    fprintf(stderr, "load: %s: %s\n", reason, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t due_time(uint64_t number) { return begin + (uint64_t)((double)number * 1e9 / rate); }

static void record(uint64_t latency) {
    if (count == capacity) {
        capacity = capacity ? capacity * 2 : 1 << 16;
        latencies = realloc(latencies, capacity * sizeof *latencies);
        if (!latencies) stop("memory");
    }
    latencies[count++] = latency;
}

static void append(Connection *c, const void *bytes, size_t size) {
    if (c->out_sent == c->out_size) c->out_sent = c->out_size = 0;
    if (c->out_size + size > c->out_capacity) {
        c->out_capacity = (c->out_size + size) * 2;
        c->out = realloc(c->out, c->out_capacity);
        if (!c->out) stop("memory");
    }
    memcpy(c->out + c->out_size, bytes, size);
    c->out_size += size;
}

static void watch(Connection *c, int wants_write) {
    if (c->wants_write == wants_write) return;
    c->wants_write = wants_write;
    struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush(Connection *c) {
    while (c->out_sent < c->out_size) {
        ssize_t written = write(c->fd, c->out + c->out_sent, c->out_size - c->out_sent);
        if (written < 0) {
            if (errno == EINTR) continue;
            break;  // Full, or broken, which the next read tells.
        }
        c->out_sent += (size_t)written;
    }
    watch(c, c->out_sent < c->out_size);
}

// MARK: gRPC

static void frame(Connection *c, size_t size, uint8_t type, uint8_t flags, uint32_t stream, const void *payload) {
    uint8_t head[9] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, type, flags,
                       (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    append(c, head, sizeof head);
    if (payload) append(c, payload, size);
}

static void window_update(Connection *c, uint32_t increment) {
    uint8_t payload[4] = {(uint8_t)(increment >> 24), (uint8_t)(increment >> 16), (uint8_t)(increment >> 8), (uint8_t)increment};
    frame(c, 4, 8, 0, 0, payload);
}

static size_t literal(uint8_t *block, size_t size, const char *name, const char *value) {
    size_t n = strlen(name), v = strlen(value);
    block[size++] = 0;  // Not indexed, so that no state is kept.
    block[size++] = (uint8_t)n;
    memcpy(block + size, name, n);
    size += n;
    block[size++] = (uint8_t)v;
    memcpy(block + size, value, v);
    return size + v;
}

static void send_body(Connection *c) {
    while (c->body_sent < request_size) {
        int64_t room = c->connection_window < c->stream_window ? c->connection_window : c->stream_window;
        size_t size = request_size - c->body_sent;
        if (size > FRAME) size = FRAME;
        if ((int64_t)size > room) size = room > 0 ? (size_t)room : 0;
        if (size == 0) return;
        int last = c->body_sent + size == request_size;
        frame(c, size, 0, last ? 1 : 0, c->stream, request + c->body_sent);
        c->body_sent += size;
        c->connection_window -= (int64_t)size;
        c->stream_window -= (int64_t)size;
    }
}

static void call(Connection *c) {
    uint8_t block[512];
    char authority[32];
    snprintf(authority, sizeof authority, "127.0.0.1:%d", port);
    size_t size = literal(block, 0, ":method", "POST");
    size = literal(block, size, ":scheme", "http");
    size = literal(block, size, ":path", path);
    size = literal(block, size, ":authority", authority);
    size = literal(block, size, "te", "trailers");
    size = literal(block, size, "content-type", "application/grpc");
    c->stream += 2;
    c->answer_bytes = 0;
    c->body_sent = 0;
    c->stream_window = c->initial_window;
    frame(c, size, 1, 4, c->stream, block);
    send_body(c);
}

static void open_http2(Connection *c) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    append(c, preface, sizeof preface - 1);
    static const uint8_t settings[] = {0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff};
    frame(c, sizeof settings, 4, 0, 0, settings);
    window_update(c, 0x7fff0000);
    c->stream = (uint32_t)-1;
    c->connection_window = c->initial_window = 65535;
    c->unacknowledged = 0;
}

// Returns -1 while the answer is not complete, 1 when it is one, 0 when it is an error, -2 when the connection is of no
// more use.
static int read_http2(Connection *c) {
    size_t offset = 0;
    int result = -1;
    while (c->in_size - offset >= 9) {
        const uint8_t *head = (const uint8_t *)c->in + offset;
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        if (c->in_size - offset < 9 + size) break;
        uint8_t type = head[3], flags = head[4];
        uint32_t stream = ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]) & 0x7fffffff;
        const uint8_t *payload = head + 9;
        if (type == 0) {
            c->unacknowledged += size;
            if (stream == c->stream) c->answer_bytes += size;
        }
        if ((type == 0 || type == 1) && stream == c->stream && (flags & 1)) result = c->answer_bytes > 5;
        if (type == 3 && stream == c->stream) result = 0;
        if (type == 4 && !(flags & 1)) {
            for (size_t at = 0; at + 6 <= size; at += 6)
                if (payload[at] == 0 && payload[at + 1] == 4) {
                    int64_t window = (int64_t)payload[at + 2] << 24 | payload[at + 3] << 16 | payload[at + 4] << 8 | payload[at + 5];
                    c->stream_window += window - c->initial_window;
                    c->initial_window = window;
                }
            frame(c, 0, 4, 1, 0, NULL);
        }
        if (type == 6 && !(flags & 1)) frame(c, size, 6, 1, 0, payload);
        if (type == 7) return -2;
        if (type == 8 && size == 4) {
            int64_t increment = (int64_t)payload[0] << 24 | payload[1] << 16 | payload[2] << 8 | payload[3];
            if (stream == 0) c->connection_window += increment;
            else if (stream == c->stream) c->stream_window += increment;
        }
        offset += 9 + size;
    }
    memmove(c->in, c->in + offset, c->in_size - offset);
    c->in_size -= offset;
    if (c->unacknowledged > 1 << 29) {
        window_update(c, (uint32_t)c->unacknowledged);
        c->unacknowledged = 0;
    }
    if (c->busy && c->body_sent < request_size) send_body(c);
    flush(c);
    return result;
}

// MARK: HTTP/1.1

// As read_http2.
static int read_http1(Connection *c) {
    if (c->in_size < 16) return -1;
    char *head_end = memmem(c->in, c->in_size, "\r\n\r\n", 4);
    if (!head_end) return -1;
    size_t head_size = (size_t)(head_end - c->in) + 4, length = 0;
    int chunked = 0, closes = 0;
    for (char *line = memmem(c->in, head_size, "\r\n", 2); line && line < head_end; line = memmem(line, head_size - (size_t)(line - c->in), "\r\n", 2)) {
        line += 2;
        if (!strncasecmp(line, "content-length:", 15)) length = strtoul(line + 15, NULL, 10);
        if (!strncasecmp(line, "transfer-encoding: chunked", 26)) chunked = 1;
        if (!strncasecmp(line, "connection: close", 17)) closes = 1;
    }
    if (chunked) {
        if (memcmp(c->in + c->in_size - 5, "0\r\n\r\n", 5) != 0) return -1;
    } else if (c->in_size < head_size + length) {
        return -1;
    }
    int good = !memcmp(c->in + 9, "200", 3);
    if (!good && !failed) fprintf(stderr, "load: %.*s\n", (int)(c->in_size < 300 ? c->in_size : 300), c->in);
    c->in_size = 0;
    return closes ? -2 : good;
}

// MARK: Both

static void connect_to(Connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) stop("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->in_size = c->out_size = c->out_sent = 0;
    c->busy = c->wants_write = 0;
    if (path) open_http2(c);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void send_request(Connection *c, uint64_t due) {
    c->busy = 1;
    c->due = due;
    if (path) call(c);
    else append(c, request, request_size);
    flush(c);
}

// Sends what is due by connections that are free.
static void send_due(void) {
    uint64_t time = now(), next = 0;
    if (time >= end) return;
    for (int i = 0; i < connection_count && !next; i++) {
        if (connections[i].busy) continue;
        uint64_t due = due_time(scheduled);
        if (due > time) next = due;
        else scheduled++, send_request(&connections[i], due);
    }
    // While everything is busy no alarm is set: an answer brings us back here.
    struct itimerspec when = {.it_value = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void finished(Connection *c, int good) {
    uint64_t time = now();
    if (c->due >= measured_from && time <= end + 5000000000u) {
        if (good) {
            record(time - c->due);
            answered += time <= end;
        } else {
            failed++;
        }
    }
    c->busy = 0;
    if (rate == 0 && time < end) send_request(c, time);
}

static void reopen(Connection *c) {
    int was_busy = c->busy;
    close(c->fd);
    if (was_busy && now() >= measured_from) failed++;
    connect_to(c);
    if (rate == 0 && now() < end) send_request(c, now());
}

static void readable(Connection *c) {
    for (;;) {
        if (c->in_capacity - c->in_size < FRAME) {
            c->in_capacity = c->in_capacity ? c->in_capacity * 2 : FRAME * 4;
            c->in = realloc(c->in, c->in_capacity);
            if (!c->in) stop("memory");
        }
        ssize_t size = recv(c->fd, c->in + c->in_size, c->in_capacity - c->in_size, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (size <= 0) { reopen(c); return; }
        c->in_size += (size_t)size;
        int result = path ? read_http2(c) : read_http1(c);
        if (result == -2) { reopen(c); return; }
        if (result >= 0 && c->busy) { finished(c, result); return; }
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double share) {
    if (!count) return 0;
    size_t index = (size_t)((double)count * share);
    return (double)latencies[index < count ? index : count - 1] / 1e6;
}

int main(int argc, char **argv) {
    if (argc < 6) return fprintf(stderr, "load PORT REQUEST_FILE CONNECTIONS SECONDS RATE [GRPC_PATH]\n"), 2;
    port = atoi(argv[1]);
    connection_count = atoi(argv[3]);
    double seconds = atof(argv[4]);
    rate = atof(argv[5]);
    path = argc > 6 ? argv[6] : NULL;
    FILE *file = fopen(argv[2], "rb");
    if (!file) stop(argv[2]);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    size_t prefix = path ? 5 : 0;
    request_size = (size_t)length + prefix;
    request = calloc(1, request_size + 1);
    connections = calloc((size_t)connection_count, sizeof *connections);
    if (!request || !connections || fread(request + prefix, 1, (size_t)length, file) != (size_t)length) stop("request");
    if (path)
        for (int i = 0; i < 4; i++) request[1 + i] = (char)((size_t)length >> (24 - 8 * i));

    prctl(PR_SET_TIMERSLACK, 1);
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    for (int i = 0; i < connection_count; i++) connect_to(&connections[i]);
    begin = now();
    measured_from = begin + WARM_UP_MS * 1000000u;
    end = measured_from + (uint64_t)(seconds * 1e9);
    if (rate > 0) send_due();
    else for (int i = 0; i < connection_count; i++) send_request(&connections[i], now());

    struct epoll_event events[256];
    int busy = 1;
    while (now() < end || (busy && now() < end + 5000000000u)) {
        int found = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < found; i++) {
            Connection *c = events[i].data.ptr;
            if (!c) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0) continue;
                continue;
            }
            if (events[i].events & EPOLLOUT) flush(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
        }
        if (rate > 0) send_due();
        busy = 0;
        for (int i = 0; i < connection_count; i++) busy |= connections[i].busy;
    }
    for (int i = 0; i < connection_count; i++)
        if (connections[i].busy) { record(now() - connections[i].due); late++; }
    if (rate > 0)
        for (; due_time(scheduled) < end; scheduled++) {
            if (due_time(scheduled) < measured_from) continue;
            record(end - due_time(scheduled));  // It was never sent; it waited at least so long.
            late++;
        }
    qsort(latencies, count, sizeof *latencies, compare);
    printf("{\"requests\": %zu, \"failed\": %zu, \"late\": %zu, \"per_second\": %.2f, \"p50_ms\": %.4f, \"p90_ms\": %.4f, "
           "\"p99_ms\": %.4f, \"p999_ms\": %.4f, \"max_ms\": %.4f}\n",
           count, failed, late, (double)answered / seconds, percentile(0.5), percentile(0.9), percentile(0.99), percentile(0.999),
           percentile(1));
    return 0;
}
