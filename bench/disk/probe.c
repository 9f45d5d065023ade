/* Measures how long disk operations take. "probe flush FILE SECONDS" writes and flushes the
   first 8 KiB of a file repeatedly; "probe read FILE SECONDS THREADS" reads 8 KiB at random
   offsets of a file or a device, bypassing the page cache (O_DIRECT). Prints 64-bit words: the
   total time, then the time of each operation, in ns. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 8192
#define MAX_WAITS (1 << 20)

static int file;
static uint64_t blocks, until_ns;

struct reader {
    pthread_t thread;
    uint64_t random, count, *waits;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* xorshift64 (Marsaglia 2003). */
static uint64_t next(uint64_t *random) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void *read_at_random(void *argument) {
    struct reader *reader = argument;
    void *into;
    if (posix_memalign(&into, 4096, BLOCK)) fail("memory");
    for (uint64_t from = now_ns(); from < until_ns && reader->count < MAX_WAITS;) {
        off_t offset = (off_t)(next(&reader->random) % blocks * BLOCK);
        if (pread(file, into, BLOCK, offset) != BLOCK) fail("read");
        uint64_t done = now_ns();
        reader->waits[reader->count++] = done - from;
        from = done;
    }
    free(into);
    return NULL;
}

static void write_and_flush(struct reader *writer) {
    static char what[BLOCK];
    for (uint64_t from = now_ns(); from < until_ns && writer->count < MAX_WAITS;) {
        if (pwrite(file, what, BLOCK, 0) != BLOCK || fdatasync(file)) fail("flush");
        uint64_t done = now_ns();
        writer->waits[writer->count++] = done - from;
        from = done;
    }
}

int main(int count, char **arguments) {
    int is_read = count == 5 && strcmp(arguments[1], "read") == 0;
    if (!is_read && (count != 4 || strcmp(arguments[1], "flush") != 0)) return 2;
    file = open(arguments[2], is_read ? O_RDONLY | O_DIRECT : O_RDWR);
    if (file < 0) fail(arguments[2]);
    blocks = (uint64_t)lseek(file, 0, SEEK_END) / BLOCK;
    int threads = is_read ? atoi(arguments[4]) : 1;
    if (blocks == 0 || threads < 1) return 2;
    struct reader *readers = calloc((size_t)threads, sizeof *readers);
    for (int at = 0; at < threads; at++) {
        readers[at].random = 0x9e3779b97f4a7c15u * (uint64_t)(at + 1);
        readers[at].waits = malloc(MAX_WAITS * sizeof(uint64_t));
    }
    uint64_t began = now_ns();
    until_ns = began + strtoull(arguments[3], NULL, 10) * 1000000000u;
    if (is_read) {
        for (int at = 0; at < threads; at++)
            pthread_create(&readers[at].thread, NULL, read_at_random, &readers[at]);
        for (int at = 0; at < threads; at++) pthread_join(readers[at].thread, NULL);
    } else {
        write_and_flush(readers);
    }
    uint64_t lasted = now_ns() - began;
    fwrite(&lasted, sizeof lasted, 1, stdout);
    for (int at = 0; at < threads; at++)
        fwrite(readers[at].waits, sizeof(uint64_t), readers[at].count, stdout);
    return 0;
}
