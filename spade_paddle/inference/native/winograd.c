/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products, and 3 x 3 convolutions, channels last, with a quarter of the multiplications: F(4 x 4, 3 x 3) of Lavin and
 * Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
 *
 * An output tile of 4 x 4 pixels is A^T [(G g G^T) * (B^T d B)] A, where d is the 6 x 6 input tile around it. For each of the 36
 * elements of a transformed tile, the sum over input channels is one matrix product for all tiles. The interpolation points are
 * 0, +-sqrt(1/2), +-sqrt(2) and infinity: rounding errors are a third of those with the paper's 0, +-1 and +-2. products.py and
 * winograd.py call these functions and check sizes and types.
 */
#include <stddef.h>
#include <string.h>

enum { TILE = 4, INPUT_TILE = 6, ELEMENTS = INPUT_TILE * INPUT_TILE, PANEL = 16 };

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* about passing vectors: all functions with vector arguments are inlined */
#define INLINE static inline __attribute__((always_inline))
#define A1 0.707106781f
#define A2 0.5f
#define B1 1.41421356f
#define B2 2.f

typedef struct {
    long height, width, channels;
} Map;

typedef struct {
    void (*transform_input)(const float *x, Map map, long top, long left, float *v, long element_stride);
    void (*multiply)(const float *v, long count, long inner, const float *panel, float *m, long row_stride);
    void (*transform_output)(const float *m, long element_stride, const float *bias, int add, Map map, long top, long left,
                             float *out);
} Passes;

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
#define NAME(f) f##_avx2
#include "winograd_passes.h"
#pragma GCC pop_options
#undef LANES
#undef ROWS
#undef NAME

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define ROWS 12
#define NAME(f) f##_avx512
#include "winograd_passes.h"
#pragma GCC pop_options

/* those of the best instruction set that the processor supports; NULL without AVX2 */
static const Passes *best_passes(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw"))
        return &passes_avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &passes_avx2 : NULL;
}

#ifdef _OPENMP
int omp_get_thread_num(void);
#else
static int omp_get_thread_num(void) { return 0; }
#endif

static void convolve_tiles(const float *x, Map in, const float *kernel, const float *bias, int add, Map out, float *y,
                           float *work, long block, long first, long count) {
    const Passes *passes = best_passes();
    long tiles_across = (in.width + TILE - 1) / TILE, panels = (out.channels + PANEL - 1) / PANEL;
    float *v = work, *m = work + ELEMENTS * block * in.channels; /* transformed input and output tiles */
    long v_stride = block * in.channels, m_row = panels * PANEL, m_stride = block * m_row;
#pragma omp parallel for schedule(static)
    for (long t = 0; t < count; t++) {
        long top = (first + t) / tiles_across * TILE, left = (first + t) % tiles_across * TILE;
        passes->transform_input(x, in, top - 1, left - 1, v + t * in.channels, v_stride);
    }
#pragma omp parallel for schedule(static)
    for (long item = 0; item < ELEMENTS * panels; item++) {
        const float *tiles = v + item / panels * v_stride, *panel = kernel + item * in.channels * PANEL;
        passes->multiply(tiles, count, in.channels, panel, m + item / panels * m_stride + item % panels * PANEL, m_row);
    }
#pragma omp parallel for schedule(static)
    for (long t = 0; t < count; t++) {
        long top = (first + t) / tiles_across * TILE, left = (first + t) % tiles_across * TILE;
        passes->transform_output(m + t * m_row, m_stride, bias, add, out, top, left, y);
    }
}

/* y = x * kernel + bias with zero padding, or y += x * kernel + bias if add is set.
 * x: [height, width, channels]. kernel: [ELEMENTS, panels, channels, PANEL], G g G^T, PANEL output channels per panel, the last
 * panel padded with zeros. y: [height, width, outs]. block: tiles that are transformed together. workers: blocks that are
 * computed in parallel. work: [workers, ELEMENTS * block * (channels + panels * PANEL)]. */
void spade_winograd(const float *x, long height, long width, long channels, const float *kernel, long outs, const float *bias,
                    int add, float *y, float *work, long block, int workers) {
    Map in = {height, width, channels}, out = {height, width, outs};
    long tiles = ((height + TILE - 1) / TILE) * ((width + TILE - 1) / TILE);
    long work_size = ELEMENTS * block * (channels + (outs + PANEL - 1) / PANEL * PANEL);
    /* with one worker this region is serial, so the inner parallel loops use all threads */
#pragma omp parallel for schedule(static) num_threads(workers)
    for (long first = 0; first < tiles; first += block) {
        long count = tiles - first < block ? tiles - first : block;
        convolve_tiles(x, in, kernel, bias, add, out, y, work + omp_get_thread_num() * work_size, block, first, count);
    }
}

/* out [rows, columns] = left [rows, inner] @ right, packed in panels: [panels, inner, PANEL], zeros after the last column. Each row
 * is bit-identical whatever the other rows and the number of threads. */
void spade_product(const float *left, long rows, long inner, const float *right, long columns, float *out) {
    enum { CHUNK = 96 }; /* rows */
    const Passes *passes = best_passes();
    long panels = (columns + PANEL - 1) / PANEL, chunks = (rows + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static)
    for (long item = 0; item < panels * chunks; item++) {
        long first = item / panels * CHUNK, count = rows - first < CHUNK ? rows - first : CHUNK;
        long panel = item % panels, width = columns - panel * PANEL;
        const float *from = left + first * inner, *kernel = right + panel * inner * PANEL;
        float *to = out + first * columns + panel * PANEL;
        if (width >= PANEL) {
            passes->multiply(from, count, inner, kernel, to, columns);
            continue;
        }
        float padded[CHUNK * PANEL];
        passes->multiply(from, count, inner, kernel, padded, PANEL);
        for (long r = 0; r < count; r++) memcpy(to + r * columns, padded + r * PANEL, width * sizeof(float));
    }
}

int spade_has_avx2(void) { return best_passes() != NULL; }
#else
void spade_winograd(const float *x, long height, long width, long channels, const float *kernel, long outs, const float *bias,
                    int add, float *y, float *work, long block, int workers) {}

void spade_product(const float *left, long rows, long inner, const float *right, long columns, float *out) {}

int spade_has_avx2(void) { return 0; }
#endif
