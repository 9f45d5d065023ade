/* An nbdkit plugin that emulates a disk with one head and one platter, as a block device as slow
   as a real one. Requests are served one at a time. Writes go to a volatile cache at once. A
   flush writes the cached runs in order of address, each after a seek and a rotational delay; so
   does a read that misses the cache, unless it continues the last one (the drive has read
   ahead). Data is stored in a sparse file immediately: only time is emulated, not power
   failures. Parameters: image (the sparse file), state (the page shared with block.ts),
   rotation_ns, track_seek_ns (to the next track), full_seek_ns (across the whole disk),
   mb_per_s, cache_mib. */
#define NBDKIT_API_VERSION 2
#include <errno.h>
#include <fcntl.h>
#include <nbdkit-plugin.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

/* While is_paused, nothing is delayed: a disk is filled before it is measured. */
struct state {
    _Atomic uint64_t is_paused;
    _Atomic uint64_t flushes;
    _Atomic uint64_t reads;
    _Atomic uint64_t busy_ns;
};

/* A dirty range of the cache: [from, to). */
struct run {
    uint64_t from, to;
};

static struct state private_state, *state = &private_state;
static int image = -1;
static uint64_t size, rotation_ns, track_seek_ns, full_seek_ns, mb_per_s, cache_mib;
static uint64_t head, read_ahead_at, free_at_ns;
static struct run *runs;
static size_t run_count, run_capacity;
static uint64_t dirty_bytes, dirty_since_ns;
/* How far the drive reads ahead while idle. */
static const uint64_t READ_AHEAD_BYTES = 1 << 20;

static int platter_config(const char *key, const char *value) {
    if (strcmp(key, "image") == 0) {
        image = open(value, O_RDWR | O_CLOEXEC);
        return image < 0 ? -1 : 0;
    }
    if (strcmp(key, "state") == 0) {
        int file = open(value, O_RDWR | O_CLOEXEC);
        if (file < 0) return -1;
        void *page = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
        if (page == MAP_FAILED) return -1;
        state = page;
        return 0;
    }
    struct {
        const char *key;
        uint64_t *value;
    } numbers[] = {{"rotation_ns", &rotation_ns},
                   {"track_seek_ns", &track_seek_ns},
                   {"full_seek_ns", &full_seek_ns},
                   {"mb_per_s", &mb_per_s},
                   {"cache_mib", &cache_mib}};
    for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++)
        if (strcmp(key, numbers[at].key) == 0) {
            *numbers[at].value = strtoull(value, NULL, 10);
            return 0;
        }
    nbdkit_error("unknown parameter %s", key);
    return -1;
}

static int platter_config_complete(void) {
    off_t end = image < 0 ? -1 : lseek(image, 0, SEEK_END);
    if (end <= 0 || !rotation_ns || !mb_per_s || !cache_mib) {
        nbdkit_error("image, rotation_ns, mb_per_s and cache_mib are needed");
        return -1;
    }
    size = (uint64_t)end;
    return 0;
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

static uint64_t transfer_ns(uint64_t bytes) { return bytes * 1000 / mb_per_s; }
static uint64_t square_root(uint64_t value) {
    uint64_t low = 0, high = 1u << 30;
    while (low < high) {
        uint64_t middle = (low + high + 1) / 2;
        if (middle * middle <= value) low = middle;
        else high = middle - 1;
    }
    return low;
}

/* The arm accelerates and brakes, so time grows with the square root of the distance. Within a
   track there is no seek. */
static uint64_t seek_time_ns(uint64_t to) {
    uint64_t track = rotation_ns * mb_per_s / 1000;
    uint64_t distance = head > to ? head - to : to - head;
    if (distance < track) return 0;
    uint64_t share = square_root(distance / 4096 * 1000000 / (size / 4096));
    return track_seek_ns + (full_seek_ns - track_seek_ns) * share / 1000;
}

/* When `from` to `to` has passed under the head if the arm starts at `at_ns`. */
static uint64_t pass_ns(uint64_t at_ns, uint64_t from, uint64_t to) {
    at_ns += seek_time_ns(from);
    uint64_t angle_ns = transfer_ns(from) % rotation_ns;
    at_ns += (angle_ns + rotation_ns - at_ns % rotation_ns) % rotation_ns + transfer_ns(to - from);
    head = to;
    return at_ns;
}

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }
static void busy_until(uint64_t from_ns, uint64_t ns) {
    atomic_fetch_add(&state->busy_ns, ns - from_ns);
    free_at_ns = ns;
    sleep_until(ns);
}

static int by_address(const void *a, const void *b) {
    uint64_t left = ((const struct run *)a)->from, right = ((const struct run *)b)->from;
    return left < right ? -1 : left > right;
}

/* Writes the whole cache, from `from_ns` on, in ascending order with adjacent runs merged. */
static void empty_cache(uint64_t from_ns) {
    if (!run_count) return;
    if (!atomic_load(&state->is_paused)) {
        qsort(runs, run_count, sizeof *runs, by_address);
        uint64_t began = later(free_at_ns, from_ns), done = began;
        for (size_t at = 0; at < run_count;) {
            struct run run = runs[at++];
            for (; at < run_count && runs[at].from <= run.to; at++)
                if (runs[at].to > run.to) run.to = runs[at].to;
            done = pass_ns(done, run.from, run.to);
        }
        busy_until(began, done);
    }
    run_count = 0;
    dirty_bytes = 0;
}

static int mark_dirty(uint64_t from, uint64_t to) {
    if (run_count && runs[run_count - 1].to == from) {
        runs[run_count - 1].to = to;
    } else {
        if (run_count == run_capacity) {
            size_t capacity = run_capacity ? run_capacity * 2 : 1024;
            struct run *more = realloc(runs, capacity * sizeof *runs);
            if (!more) return -1;
            runs = more;
            run_capacity = capacity;
        }
        runs[run_count++] = (struct run){from, to};
    }
    if (!dirty_bytes) dirty_since_ns = now_ns();
    dirty_bytes += to - from;
    /* The cache is full: writing began when the first byte was dirty. */
    if (dirty_bytes > cache_mib << 20) empty_cache(dirty_since_ns);
    return 0;
}

static int is_cached(uint64_t from, uint64_t to) {
    for (size_t at = 0; at < run_count; at++)
        if (runs[at].from <= from && runs[at].to >= to) return 1;
    return 0;
}

static void *platter_open(int readonly) {
    (void)readonly;
    return NBDKIT_HANDLE_NOT_NEEDED;
}
static int64_t platter_get_size(void *handle) {
    (void)handle;
    return (int64_t)size;
}
static int yes(void *handle) {
    (void)handle;
    return 1;
}

static int platter_pread(void *handle, void *into, uint32_t count, uint64_t from, uint32_t flags) {
    (void)handle;
    (void)flags;
    for (uint32_t done = 0; done < count;) {
        ssize_t got = pread(image, (char *)into + done, count - done, (off_t)(from + done));
        if (got <= 0) return -1;
        done += (uint32_t)got;
    }
    if (atomic_load(&state->is_paused) || is_cached(from, from + count)) return 0;
    atomic_fetch_add(&state->reads, 1);
    uint64_t began = later(free_at_ns, now_ns());
    if (from == read_ahead_at && from == head) {
        head += count;
        began = later(free_at_ns, now_ns() - transfer_ns(READ_AHEAD_BYTES));
        busy_until(began, began + transfer_ns(count));
    } else {
        busy_until(began, pass_ns(began, from, from + count));
    }
    read_ahead_at = head;
    return 0;
}

static int platter_pwrite(void *handle, const void *what, uint32_t count, uint64_t from,
                          uint32_t flags) {
    (void)handle;
    (void)flags;
    for (uint32_t done = 0; done < count;) {
        ssize_t put = pwrite(image, (const char *)what + done, count - done, (off_t)(from + done));
        if (put <= 0) return -1;
        done += (uint32_t)put;
    }
    return mark_dirty(from, from + count);
}

static int platter_flush(void *handle, uint32_t flags) {
    (void)handle;
    (void)flags;
    if (!atomic_load(&state->is_paused)) atomic_fetch_add(&state->flushes, 1);
    empty_cache(now_ns());
    return 0;
}

static struct nbdkit_plugin plugin = {
    .name = "platter",
    .config = platter_config,
    .config_complete = platter_config_complete,
    .open = platter_open,
    .get_size = platter_get_size,
    .can_write = yes,
    .can_flush = yes,
    .is_rotational = yes,
    .pread = platter_pread,
    .pwrite = platter_pwrite,
    .flush = platter_flush,
    .errno_is_preserved = 1,
};
NBDKIT_REGISTER_PLUGIN(plugin)
