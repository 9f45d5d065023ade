/* Emulates a disk with one spindle for a process and its children, by LD_PRELOAD. A flush ends
   when the platter has completed a rotation, a read that misses the page cache seeks first, and
   operations are served one at a time. The real disk is not flushed, because its speed depends
   on its other users. Always counts flushes and reads and the time that they block: their
   duration without the CPU time and the run-queue wait of the process, which the kernel
   accounts. The kernel's statistics (iowait, PSI, diskstats) do not include this disk.
   SPINDLE_FILE names the page shared by all processes. SPINDLE_ROTATION_NS (0: only count) and
   SPINDLE_SEEK_NS are its speed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct spindle {
    _Atomic uint64_t free_at_ns;
    _Atomic uint64_t flushes;
    _Atomic uint64_t cold_reads;
    _Atomic uint64_t waited_ns;
    /* While set, nothing is delayed: a database is filled before it is measured. */
    _Atomic uint64_t is_paused;
};

static struct spindle *spindle;
static uint64_t rotation_ns, seek_ns;
static int (*next_fsync)(int), (*next_fdatasync)(int);
static ssize_t (*next_preadv)(int, const struct iovec *, int, off_t);
static ssize_t (*next_pread)(int, void *, size_t, off_t);

static uint64_t setting(const char *name) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void attach(void) {
    next_fsync = dlsym(RTLD_NEXT, "fsync");
    next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    next_pread = dlsym(RTLD_NEXT, "pread64");
    next_preadv = dlsym(RTLD_NEXT, "preadv64");
    rotation_ns = setting("SPINDLE_ROTATION_NS");
    seek_ns = setting("SPINDLE_SEEK_NS");
    const char *path = getenv("SPINDLE_FILE");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(struct spindle), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) spindle = page;
    close(file);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t ns) {
    struct timespec until = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* Occupies the spindle for `busy_ns` and up to the end of the rotation, and waits for that. */
static void spin(uint64_t busy_ns) {
    if (!spindle || rotation_ns == 0 || atomic_load(&spindle->is_paused)) return;
    uint64_t free_at = atomic_load(&spindle->free_at_ns);
    uint64_t done;
    do {
        uint64_t now = now_ns();
        uint64_t begin = free_at > now ? free_at : now;
        done = (begin + busy_ns) / rotation_ns * rotation_ns + rotation_ns;
    } while (!atomic_compare_exchange_weak(&spindle->free_at_ns, &free_at, done));
    sleep_until(done);
}

static void flush(uint64_t busy_ns) {
    if (spindle) atomic_fetch_add(&spindle->flushes, 1);
    spin(busy_ns);
}

/* How long this process has waited for a CPU: the second field of schedstat. */
static uint64_t run_queue_ns(void) {
    static int file = -1;
    static pid_t opened_by;
    if (opened_by != getpid()) { /* A file opened before a fork is the parent's. */
        if (file >= 0) close(file);
        file = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
        opened_by = getpid();
    }
    char text[64];
    ssize_t length = file < 0 ? 0 : next_pread(file, text, sizeof text - 1, 0);
    if (length <= 0) return 0;
    text[length] = 0;
    char *rest;
    strtoull(text, &rest, 10);
    return strtoull(rest, NULL, 10);
}

/* Time that this process has not been blocked. */
static uint64_t not_blocked_ns(void) {
    struct timespec cpu;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    return (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec + run_queue_ns();
}

struct moment {
    uint64_t at_ns, not_blocked_ns;
};

static struct moment begin(void) {
    return spindle ? (struct moment){now_ns(), not_blocked_ns()} : (struct moment){0, 0};
}

static void add_wait(struct moment since) {
    if (!spindle) return;
    uint64_t busy_ns = not_blocked_ns() - since.not_blocked_ns, lasted_ns = now_ns() - since.at_ns;
    if (lasted_ns > busy_ns) atomic_fetch_add(&spindle->waited_ns, lasted_ns - busy_ns);
}

int fdatasync(int file) {
    struct moment since = begin();
    int result = rotation_ns ? 0 : next_fdatasync(file);
    flush(0);
    add_wait(since);
    return result;
}

/* A file's length and times are elsewhere on the disk than its data. */
int fsync(int file) {
    struct moment since = begin();
    int result = rotation_ns ? 0 : next_fsync(file);
    flush(seek_ns);
    add_wait(since);
    return result;
}

/* Whether the page cache lacks a part of it; tested by reading without waiting. */
static int is_cold(int file, const struct iovec *parts, int count, off_t at) {
    return spindle && preadv2(file, parts, count, at, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

static ssize_t read_cold(int file, const struct iovec *parts, int count, off_t at) {
    struct moment since = begin();
    atomic_fetch_add(&spindle->cold_reads, 1);
    spin(seek_ns);
    ssize_t result = next_preadv(file, parts, count, at);
    add_wait(since);
    return result;
}

ssize_t preadv64(int file, const struct iovec *parts, int count, off_t at) {
    if (is_cold(file, parts, count, at)) return read_cold(file, parts, count, at);
    return next_preadv(file, parts, count, at);
}

ssize_t preadv(int file, const struct iovec *parts, int count, off_t at) {
    return preadv64(file, parts, count, at);
}

ssize_t pread64(int file, void *into, size_t length, off_t at) {
    struct iovec part = {.iov_base = into, .iov_len = length};
    if (is_cold(file, &part, 1, at)) return read_cold(file, &part, 1, at);
    return next_pread(file, into, length, at);
}

ssize_t pread(int file, void *into, size_t length, off_t at) {
    return pread64(file, into, length, at);
}
