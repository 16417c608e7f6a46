/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of a generator between its convolutions. Layout: channels last, a feature map is float [pixels, channels].
 *
 * kernels.py calls these functions through ctypes and checks sizes and types; no function here allocates memory or fails.
 * OpenMP's symbols stay undefined at link time and are resolved in the OpenMP library that oneDNN uses, so both share one
 * thread pool. Results do not depend on the number of threads.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
/* one version per x86-64 level; the dynamic loader chooses the best one that the processor supports */
#if defined(__x86_64__) && defined(__linux__) && !defined(NO_CLONES)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

enum { IDENTITY, GELU, LEAKY_RELU, RELU };

/* e^x with a relative error of 3e-7; x is clamped to -87..87, and NaN counts as -87 */
INLINE float exponential(float x) {
    x = x > -87.f ? x : -87.f;
    x = x < 87.f ? x : 87.f;
    float rounded = rintf(x * 1.44269504f), rest = (x - rounded * 0.693359375f) + rounded * 2.12194440e-4f;
    float series = 1.f + rest * (1.f + rest * (0.5f + rest * (0.166666667f + rest * (0.0416666667f
        + rest * (0.00833333333f + rest * 0.00138888889f)))));
    union { int32_t bits; float value; } power = {((int32_t)rounded + 127) << 23};
    return power.value * series;
}

/* x * Phi(x); the error function is approximated by formula 7.1.26 of Abramowitz and Stegun (error 1.5e-7) */
INLINE float gelu(float x) {
    float z = fabsf(x) * 0.707106781f, t = 1.f / (1.f + 0.3275911f * z);
    float tail = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    float erf = 1.f - tail * exponential(-z * z);
    return 0.5f * x * (1.f + (x < 0.f ? -erf : erf));
}

INLINE float activated(float x, int activation) {
    if (activation == GELU) return gelu(x);
    if (activation == LEAKY_RELU) return x > 0.f ? x : 0.2f * x;
    if (activation == RELU) return x > 0.f ? x : 0.f;
    return x;
}

/* runs BODY with the activation as a compile-time constant A, so that its loops have no branches */
#define FOR_ACTIVATION(activation, BODY) \
    switch (activation) { \
        case GELU: { enum { A = GELU }; BODY; break; } \
        case LEAKY_RELU: { enum { A = LEAKY_RELU }; BODY; break; } \
        case RELU: { enum { A = RELU }; BODY; break; } \
        default: { enum { A = IDENTITY }; BODY; break; } \
    }

INLINE void modulate_pixels(const float *x, int doubled, long width, long channels, const float *scale, const float *mean,
                            const float *table, const int32_t *index, const float *factors, const float *edges,
                            int activation, float *out) {
    long step = channels + (edges != NULL);
    for (long i = 0; i < width; i++, out += step) {
        const float *in = x + (i >> doubled) * channels;
        const float *gain = table + (size_t)index[i] * 2 * channels, *offset = gain + channels;
        if (factors == NULL)
            for (long c = 0; c < channels; c++)
                out[c] = activated(((in[c] - mean[c]) * scale[c]) * gain[c] + offset[c], activation);
        else {
            float gain_factor = factors[2 * i], offset_factor = factors[2 * i + 1];
            for (long c = 0; c < channels; c++)
                out[c] = activated(((in[c] - mean[c]) * scale[c]) * (gain[c] * gain_factor) + offset[c] * offset_factor,
                                   activation);
        }
        if (edges != NULL) out[channels] = activated(edges[i], activation);
    }
}

CLONES static void modulate_row(const float *x, int doubled, long width, long channels, const float *scale,
                                const float *mean, const float *table, const int32_t *index, const float *factors,
                                const float *edges, int activation, float *out) {
    FOR_ACTIVATION(activation,
                   modulate_pixels(x, doubled, width, channels, scale, mean, table, index, factors, edges, A, out))
}

/* out = act((x - mean) * scale * gain + offset); gain and offset are row index[pixel] of the table [rows, 2 * channels].
 * x: [height >> doubled, width >> doubled] pixels, upsampled by nearest neighbor as it is read.
 * factors: NULL or [height * width, 2], which gain and offset are multiplied by.
 * edges: NULL or [height * width], appended to out as one more channel before the activation. */
void spade_modulate(const float *x, int doubled, long height, long width, long channels, const float *scale, const float *mean,
                    const float *table, const int32_t *index, const float *factors, const float *edges, int activation,
                    float *out) {
    long step = channels + (edges != NULL);
#pragma omp parallel for schedule(static)
    for (long y = 0; y < height; y++) {
        long first = y * width;
        modulate_row(x + (y >> doubled) * (width >> doubled) * channels, doubled, width, channels, scale, mean, table,
                     index + first, factors ? factors + 2 * first : NULL, edges ? edges + first : NULL, activation,
                     out + first * step);
    }
}

enum { SAME, NEAREST, BILINEAR };

/* the second nearest of the size pixels of a row to pixel i of the doubled row, clamped at the borders */
INLINE long neighbor(long i, long size) {
    long other = i / 2 + (i % 2 ? 1 : -1);
    return other < 0 ? 0 : (other >= size ? size - 1 : other);
}

CLONES static void upsample_row(const float *nearest, const float *second, int mode, long width, long channels,
                                const float *strength, const float *noise, long noise_stride, float *out) {
    for (long i = 0; i < width; i++, out += channels) {
        const float *a = nearest + (mode == SAME ? i : i / 2) * channels;
        if (mode == BILINEAR) {
            long beside = neighbor(i, width / 2);
            const float *b = nearest + beside * channels, *c = second + (i / 2) * channels, *d = second + beside * channels;
            for (long k = 0; k < channels; k++)
                out[k] = 0.75f * (0.75f * a[k] + 0.25f * b[k]) + 0.25f * (0.75f * c[k] + 0.25f * d[k]);
        } else
            memcpy(out, a, channels * sizeof(float));
        if (noise != NULL) {
            float value = noise[i * noise_stride];
            for (long k = 0; k < channels; k++) out[k] += strength[k] * value;
        }
    }
}

/* out [height, width, channels] = x, copied (SAME) or upsampled by a factor of two; then out += strength * noise.
 * noise: NULL or rows of noise_width values, of which every noise_stride-th value of every noise_stride-th row is used. */
void spade_upsample(const float *x, int mode, long height, long width, long channels, const float *strength,
                    const float *noise, long noise_stride, long noise_width, float *out) {
    long half = width / 2;
#pragma omp parallel for schedule(static)
    for (long y = 0; y < height; y++) {
        const float *nearest = x + (mode == SAME ? y * width : (y / 2) * half) * channels;
        const float *second = mode == BILINEAR ? x + neighbor(y, height / 2) * half * channels : nearest;
        upsample_row(nearest, second, mode, width, channels, strength, noise ? noise + y * noise_stride * noise_width : NULL,
                     noise_stride, out + y * width * channels);
    }
}

CLONES static void activate_run(float *x, long count, int activation) {
    FOR_ACTIVATION(activation, for (long i = 0; i < count; i++) x[i] = activated(x[i], A))
}

/* x [pixels, channels] = act(x), in place */
void spade_activate(float *x, long pixels, long channels, int activation) {
#pragma omp parallel for schedule(static)
    for (long p = 0; p < pixels; p++) activate_run(x + p * channels, channels, activation);
}

CLONES static void add_deviations(const float *x, long pixels, long channels, const float *mean, double *sums) {
    for (long p = 0; p < pixels; p++, x += channels)
        for (long c = 0; c < channels; c++) {
            double value = mean ? x[c] - mean[c] : x[c];
            sums[c] += mean ? value * value : value;
        }
}

/* The sum of x or, if mean is not NULL, of (x - mean)^2 over the pixels of each channel. sums: [chunks, channels], partial sums
 * for the caller to add. The number of chunks does not depend on the number of threads, so neither does the result. */
void spade_sums(const float *x, long pixels, long channels, const float *mean, long chunks, double *sums) {
#pragma omp parallel for schedule(static)
    for (long chunk = 0; chunk < chunks; chunk++) {
        long first = pixels * chunk / chunks, end = pixels * (chunk + 1) / chunks;
        memset(sums + chunk * channels, 0, channels * sizeof(double));
        add_deviations(x + first * channels, end - first, channels, mean, sums + chunk * channels);
    }
}

CLONES static void simam_pixel(float *x, long channels, const float *mean, const float *inverse, int activation) {
    FOR_ACTIVATION(activation, for (long c = 0; c < channels; c++) {
        float deviation = x[c] - mean[c];
        x[c] = activated(x[c] / (1.f + exponential(-(deviation * deviation * inverse[c] + 0.5f))), A);
    })
}

/* SimAM and an activation, in place: act(x * sigmoid((x - mean)^2 * inverse + 0.5)), inverse = 1 / (4 (variance + lambda)) */
void spade_simam(float *x, long pixels, long channels, const float *mean, const float *inverse, int activation) {
#pragma omp parallel for schedule(static)
    for (long p = 0; p < pixels; p++) simam_pixel(x + p * channels, channels, mean, inverse, activation);
}

/* A hash table of distinct patches with linear probing. Patches are compared code by code, so hash collisions are harmless. */
typedef struct {
    long length;         /* codes per patch */
    long count;          /* patches stored */
    long capacity;       /* patches that fit */
    uint16_t *patches;   /* [capacity, length] */
    uint64_t slot_mask;  /* number of slots - 1; a power of two, at least twice the capacity */
    int32_t *slots;      /* patch numbers; -1: empty */
    uint64_t hash_mask;  /* all ones except in tests */
} PatchSet;

/* the number of a patch, which is added if it is new; -1 if the table is full */
static int32_t number_of(PatchSet *set, const uint16_t *patch) {
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (long i = 0; i < set->length; i++) {
        hash = (hash ^ patch[i]) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    size_t bytes = set->length * sizeof(uint16_t);
    uint64_t slot = hash & set->hash_mask & set->slot_mask;
    for (; set->slots[slot] >= 0; slot = (slot + 1) & set->slot_mask)
        if (memcmp(set->patches + set->slots[slot] * set->length, patch, bytes) == 0) return set->slots[slot];
    if (set->count == set->capacity) return -1;
    memcpy(set->patches + set->count * set->length, patch, bytes);
    set->slots[slot] = (int32_t)set->count;
    return (int32_t)set->count++;
}

/* The number of the patch around each pixel. codes: [height + 2 radius, width + 2 radius], padded. Returns 0 if the table is
 * full. */
int spade_number_patches(PatchSet *set, const uint16_t *codes, long height, long width, long radius, int32_t *index) {
    long side = 2 * radius + 1, row = width + 2 * radius;
    uint16_t patch[side * side];
    for (long y = 0; y < height; y++) {
        const uint16_t *top = codes + y * row;
        long repeated = 0; /* trailing columns that equal the column to their left: if all do, so do the patches */
        for (long i = 0; i < row; i++) {
            int same = i > 0;
            for (long k = 0; same && k < side; k++) same = top[k * row + i] == top[k * row + i - 1];
            repeated = same ? repeated + 1 : 0;
            long x = i - 2 * radius;
            if (x < 0) continue;
            int32_t *number = index + y * width + x;
            if (x > 0 && repeated >= side) {
                *number = number[-1];
                continue;
            }
            for (long k = 0; k < side; k++) memcpy(patch + k * side, top + k * row + x, side * sizeof(uint16_t));
            *number = number_of(set, patch);
            if (*number < 0) return 0;
        }
    }
    return 1;
}

/* The numbers of patches [count, length]. Returns 0 if the table is full. */
int spade_number_list(PatchSet *set, const uint16_t *patches, long count, int32_t *index) {
    for (long n = 0; n < count; n++) {
        index[n] = number_of(set, patches + n * set->length);
        if (index[n] < 0) return 0;
    }
    return 1;
}

CLONES static void add_rows(const float *rows, const int64_t *starts, long places, long width, const float *bias,
                            int activation, float *out) {
    memcpy(out, bias, width * sizeof(float));
    for (long place = 0; place < places; place++)
        if (starts[place] >= 0)
            for (long c = 0; c < width; c++) out[c] += rows[starts[place] + c];
    FOR_ACTIVATION(activation, for (long c = 0; c < width; c++) out[c] = activated(out[c], A))
}

/* out[n] = act(bias + sum over places of rows[numbers[n, place], place]); negative numbers are skipped.
 * rows: [any, places, width]. numbers: [count, places]. */
void spade_add_rows(const float *rows, const int32_t *numbers, long count, long places, long width, const float *bias,
                    int activation, float *out) {
#pragma omp parallel for schedule(static)
    for (long n = 0; n < count; n++) {
        int64_t starts[places];
        for (long place = 0; place < places; place++) {
            int64_t number = numbers[n * places + place];
            starts[place] = number < 0 ? -1 : (number * places + place) * width;
        }
        add_rows(rows, starts, places, width, bias, activation, out + n * width);
    }
}

/* Increase it, and VERSION of kernels.py, with every change of a function's name or arguments here or in winograd.c: a library
 * built from another version would misread its arguments. */
int spade_version(void) { return 4; }
