/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices, and by them convolutions of 3 x 3, channels last, with a quarter of the multiplications: F(4 x 4, 3 x 3) of Lavin and Gray, "Fast
 * Algorithms for Convolutional Neural Networks" (2016).
 *
 * A tile of 4 x 4 pixels is A^T [(G g G^T) * (B^T d B)] A with the 6 x 6 pixels d around it, a product of matrices over channels
 * for each of the 36 spots of the middle. B, G and A are those of the points 0, +-sqrt(1/2), +-sqrt(2) and infinity: rounding
 * errors are a third of those with the paper's 0, +-1 and +-2. Called by products.py and winograd.py, which hold sizes and
 * types.
 */
#include <stddef.h>
#include <string.h>

enum { TILE = 4, REACH = 6, SPOTS = REACH * REACH, PANEL = 16 };

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* no vector is passed: all functions that take one are inlined */
#define INLINE static inline __attribute__((always_inline))
#define A1 0.707106781f
#define A2 0.5f
#define B1 1.41421356f
#define B2 2.f

typedef struct {
    long height, width, channels;
} Map;

typedef struct {
    void (*gather)(const float *x, Map map, long top, long left, float *v, long spot);
    void (*multiply)(const float *v, long count, long inner, const float *panel, float *m, long step);
    void (*scatter)(const float *m, long spot, const float *bias, int add, Map map, long top, long left, float *out);
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

static const Passes *passes(void) {
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
    const Passes *how = passes();
    long across = (in.width + TILE - 1) / TILE, panels = (out.channels + PANEL - 1) / PANEL;
    float *v = work, *m = work + SPOTS * block * in.channels;
    long v_spot = block * in.channels, m_step = panels * PANEL, m_spot = block * m_step;
#pragma omp parallel for schedule(static)
    for (long t = 0; t < count; t++) {
        long top = (first + t) / across * TILE, left = (first + t) % across * TILE;
        how->gather(x, in, top - 1, left - 1, v + t * in.channels, v_spot);
    }
#pragma omp parallel for schedule(static)
    for (long item = 0; item < SPOTS * panels; item++) {
        float *to = m + item / panels * m_spot + item % panels * PANEL;
        how->multiply(v + item / panels * v_spot, count, in.channels, kernel + item * in.channels * PANEL, to, m_step);
    }
#pragma omp parallel for schedule(static)
    for (long t = 0; t < count; t++) {
        long top = (first + t) / across * TILE, left = (first + t) % across * TILE;
        how->scatter(m + t * m_step, m_spot, bias, add, out, top, left, y);
    }
}

/* y = x * kernel + bias, zeros around x; with add to what is in y.
 * x: [height, width, channels]. kernel: [SPOTS, panels, channels, PANEL], G g G^T, with as many panels of PANEL outputs as it
 * takes. y: [height, width, outs]. block: tiles that are computed together. work: [workers, SPOTS * block * (channels +
 * panels * PANEL)]: so many blocks are computed side by side. */
void spade_winograd(const float *x, long height, long width, long channels, const float *kernel, long outs, const float *bias,
                    int add, float *y, float *work, long block, int workers) {
    Map in = {height, width, channels}, out = {height, width, outs};
    long tiles = ((height + TILE - 1) / TILE) * ((width + TILE - 1) / TILE);
    long share = SPOTS * block * (channels + (outs + PANEL - 1) / PANEL * PANEL);
    /* with one worker this makes no team, so that the loops inside have all threads */
#pragma omp parallel for schedule(static) num_threads(workers)
    for (long first = 0; first < tiles; first += block) {
        long count = tiles - first < block ? tiles - first : block;
        convolve_tiles(x, in, kernel, bias, add, out, y, work + omp_get_thread_num() * share, block, first, count);
    }
}

/* out [rows, columns] = left [rows, inner] @ right, given in panels: [panels, inner, PANEL], zeros after the last column. No bit
 * of a row depends on the other rows, nor on the number of threads. */
void spade_product(const float *left, long rows, long inner, const float *right, long columns, float *out) {
    enum { AT_ONCE = 96 };
    const Passes *how = passes();
    long panels = (columns + PANEL - 1) / PANEL, parts = (rows + AT_ONCE - 1) / AT_ONCE;
#pragma omp parallel for schedule(static)
    for (long item = 0; item < panels * parts; item++) {
        long first = item / panels * AT_ONCE, count = rows - first < AT_ONCE ? rows - first : AT_ONCE;
        long panel = item % panels, width = columns - panel * PANEL;
        const float *from = left + first * inner, *kernel = right + panel * inner * PANEL;
        float *to = out + first * columns + panel * PANEL;
        if (width >= PANEL) {
            how->multiply(from, count, inner, kernel, to, columns);
            continue;
        }
        float whole[AT_ONCE * PANEL];
        how->multiply(from, count, inner, kernel, whole, PANEL);
        for (long r = 0; r < count; r++) memcpy(to + r * columns, whole + r * PANEL, width * sizeof(float));
    }
}

int spade_has_products(void) { return passes() != NULL; }
#else
void spade_winograd(const float *x, long height, long width, long channels, const float *kernel, long outs, const float *bias,
                    int add, float *y, float *work, long block, int workers) {}

void spade_product(const float *left, long rows, long inner, const float *right, long columns, float *out) {}

int spade_has_products(void) { return 0; }
#endif
