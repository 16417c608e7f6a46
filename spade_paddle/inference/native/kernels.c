/* SPDX-License-Identifier: Apache-2.0 */
/* What a generator does between its convolutions, channels last: a feature map is float [pixels, channels].
 *
 * Called by kernels.py through ctypes, which holds sizes and types; nothing here allocates or fails. OpenMP's functions are
 * left undefined when this is linked: they are found in the OpenMP library that oneDNN runs on, so both share its threads.
 * Results do not depend on the number of threads.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
/* one compiled version for each generation of processors, chosen when the library is loaded */
#if defined(__x86_64__) && defined(__linux__) && !defined(NO_CLONES)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

enum { IDENTITY, GELU, LEAKY_RELU, RELU };

/* e^x with a relative error of 3e-7 for |x| < 87, beyond which it stays; what is no number counts as -87 */
INLINE float exponential(float x) {
    x = x > -87.f ? x : -87.f;
    x = x < 87.f ? x : 87.f;
    float rounded = rintf(x * 1.44269504f), rest = (x - rounded * 0.693359375f) + rounded * 2.12194440e-4f;
    float series = 1.f + rest * (1.f + rest * (0.5f + rest * (0.166666667f + rest * (0.0416666667f
        + rest * (0.00833333333f + rest * 0.00138888889f)))));
    union { int32_t bits; float value; } power = {((int32_t)rounded + 127) << 23};
    return power.value * series;
}

/* x * Phi(x), the error function by Abramowitz and Stegun 7.1.26 (error 1.5e-7) */
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

/* calls BODY with the activation as a constant, so that the loops inside have no branch */
#define FOR_ACTIVATION(activation, BODY) \
    switch (activation) { \
        case GELU: { enum { A = GELU }; BODY; break; } \
        case LEAKY_RELU: { enum { A = LEAKY_RELU }; BODY; break; } \
        case RELU: { enum { A = RELU }; BODY; break; } \
        default: { enum { A = IDENTITY }; BODY; break; } \
    }

INLINE void modulate_pixels(const float *x, int up, long width, long channels, const float *scale, const float *mean,
                            const float *table, const int32_t *index, const float *factors, const float *edges,
                            int activation, float *out) {
    long step = channels + (edges != NULL);
    for (long i = 0; i < width; i++, out += step) {
        const float *in = x + (i >> up) * channels;
        const float *gain = table + (size_t)index[i] * 2 * channels, *offset = gain + channels;
        if (factors == NULL)
            for (long c = 0; c < channels; c++)
                out[c] = activated(((in[c] - mean[c]) * scale[c]) * gain[c] + offset[c], activation);
        else {
            float more = factors[2 * i], above = factors[2 * i + 1];
            for (long c = 0; c < channels; c++)
                out[c] = activated(((in[c] - mean[c]) * scale[c]) * (gain[c] * more) + offset[c] * above, activation);
        }
        if (edges != NULL) out[channels] = activated(edges[i], activation);
    }
}

CLONES static void modulate_row(const float *x, int up, long width, long channels, const float *scale, const float *mean,
                                const float *table, const int32_t *index, const float *factors, const float *edges,
                                int activation, float *out) {
    FOR_ACTIVATION(activation, modulate_pixels(x, up, width, channels, scale, mean, table, index, factors, edges, A, out))
}

/* out = act((x - mean) * scale * gain + offset), gain and offset a row [2 * channels] of the table for each pixel.
 * x: [height >> up, width >> up]. factors, where there are: [height * width, 2], of gain and offset.
 * edges, where there are: [height * width], one more channel of out. */
void spade_modulate(const float *x, int up, long height, long width, long channels, const float *scale, const float *mean,
                    const float *table, const int32_t *index, const float *factors, const float *edges, int activation,
                    float *out) {
    long step = channels + (edges != NULL);
#pragma omp parallel for schedule(static)
    for (long y = 0; y < height; y++) {
        long first = y * width;
        modulate_row(x + (y >> up) * (width >> up) * channels, up, width, channels, scale, mean, table, index + first,
                     factors ? factors + 2 * first : NULL, edges ? edges + first : NULL, activation, out + first * step);
    }
}

enum { SAME, NEAREST, BILINEAR };

INLINE long neighbor(long i, long size) { /* of pixel i of the doubled row: the nearest but its own, in a row of size */
    long other = i / 2 + (i % 2 ? 1 : -1);
    return other < 0 ? 0 : (other >= size ? size - 1 : other);
}

CLONES static void grow_row(const float *own, const float *other, int how, long width, long channels, const float *strength,
                            const float *noise, long noise_step, float *out) {
    for (long i = 0; i < width; i++, out += channels) {
        const float *a = own + (how == SAME ? i : i / 2) * channels;
        if (how == BILINEAR) {
            long beside = neighbor(i, width / 2);
            const float *b = own + beside * channels, *c = other + (i / 2) * channels, *d = other + beside * channels;
            for (long k = 0; k < channels; k++)
                out[k] = 0.75f * (0.75f * a[k] + 0.25f * b[k]) + 0.25f * (0.75f * c[k] + 0.25f * d[k]);
        } else
            memcpy(out, a, channels * sizeof(float));
        if (noise != NULL) {
            float value = noise[i * noise_step];
            for (long k = 0; k < channels; k++) out[k] += strength[k] * value;
        }
    }
}

/* x at the size height x width of out: as it is, or doubled; then, where there is noise, out += strength * noise.
 * noise: every noise_step-th pixel of every noise_step-th row of noise_width pixels. */
void spade_grow(const float *x, int how, long height, long width, long channels, const float *strength, const float *noise,
                long noise_step, long noise_width, float *out) {
    long half = width / 2;
#pragma omp parallel for schedule(static)
    for (long y = 0; y < height; y++) {
        const float *own = x + (how == SAME ? y * width : (y / 2) * half) * channels;
        const float *other = how == BILINEAR ? x + neighbor(y, height / 2) * half * channels : own;
        grow_row(own, other, how, width, channels, strength, noise ? noise + y * noise_step * noise_width : NULL, noise_step,
                 out + y * width * channels);
    }
}

CLONES static void activate_run(float *x, long count, int activation) {
    FOR_ACTIVATION(activation, for (long i = 0; i < count; i++) x[i] = activated(x[i], A))
}

/* in place */
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

/* Sums over the pixels of each channel, of x or, given its mean, of (x - mean)^2. sums: [chunks, channels], for the caller to
 * add up: so many parts are summed, however many threads there are. */
void spade_sums(const float *x, long pixels, long channels, const float *mean, long chunks, double *sums) {
#pragma omp parallel for schedule(static)
    for (long chunk = 0; chunk < chunks; chunk++) {
        long first = pixels * chunk / chunks, end = pixels * (chunk + 1) / chunks;
        memset(sums + chunk * channels, 0, channels * sizeof(double));
        add_deviations(x + first * channels, end - first, channels, mean, sums + chunk * channels);
    }
}

CLONES static void attend_pixel(float *x, long channels, const float *mean, const float *sharpness, int activation) {
    FOR_ACTIVATION(activation, for (long c = 0; c < channels; c++) {
        float away = x[c] - mean[c];
        x[c] = activated(x[c] / (1.f + exponential(-(away * away * sharpness[c] + 0.5f))), A);
    })
}

/* SimAM in place, then the activation: x * sigmoid((x - mean)^2 * sharpness + 0.5), sharpness = 1 / (4 (variance + lambda)) */
void spade_attend(float *x, long pixels, long channels, const float *mean, const float *sharpness, int activation) {
#pragma omp parallel for schedule(static)
    for (long p = 0; p < pixels; p++) attend_pixel(x + p * channels, channels, mean, sharpness, activation);
}

/* A set of distinct patches, each of so many codes: hashed, and compared code by code, so that equal hashes do no harm. */
typedef struct {
    long length;         /* codes of a patch */
    long count;          /* patches in it */
    long capacity;       /* patches that fit in */
    uint16_t *patches;   /* [capacity, length] */
    uint64_t slot_mask;  /* slots are a power of two, at least twice the capacity; this is one less */
    int32_t *slots;      /* number of a patch, or -1 */
    uint64_t hash_mask;  /* all ones but in tests */
} PatchSet;

/* the number of a patch, which is added if it is new; -1: it is new, and there is no room */
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

/* The number of the patch around each pixel. codes: [height + 2 radius, width + 2 radius], padded. Returns whether all had room. */
int spade_number_patches(PatchSet *set, const uint16_t *codes, long height, long width, long radius, int32_t *index) {
    long side = 2 * radius + 1, row = width + 2 * radius;
    uint16_t patch[side * side];
    for (long y = 0; y < height; y++) {
        const uint16_t *top = codes + y * row;
        long alike = 0; /* so many columns up to the patch's last one are like the one before */
        for (long i = 0; i < row; i++) {
            int same = i > 0;
            for (long k = 0; same && k < side; k++) same = top[k * row + i] == top[k * row + i - 1];
            alike = same ? alike + 1 : 0;
            long x = i - 2 * radius;
            if (x < 0) continue;
            int32_t *number = index + y * width + x;
            if (x > 0 && alike >= side) {
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

/* The numbers of patches that lie one after the other. Returns whether all had room. */
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

/* out[n] = act(bias + sum over places of rows[number, place]), numbers below 0 left out. rows: [numbers, places, width]. */
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

/* of the functions here and in winograd.c; kernels.py asks, for a library that was built from another version of these files would misread its arguments */
int spade_version(void) { return 3; }
