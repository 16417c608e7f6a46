/* SPDX-License-Identifier: Apache-2.0 */
/* The three passes of winograd.c, compiled for one instruction set.
 *
 * LANES: floats per vector register. ROWS: rows of a product that are accumulated in registers together. NAME(f): f with the
 * instruction set's suffix.
 */
enum { NAME(VECTORS) = PANEL / LANES }; /* registers per row of a panel */

typedef float NAME(Lanes) __attribute__((vector_size(4 * LANES)));
typedef NAME(Lanes) NAME(Unaligned) __attribute__((aligned(4), may_alias));
#define Lanes NAME(Lanes)
#define Unaligned NAME(Unaligned)

/* the first count of LANES channels; the others are 0 and are neither read nor written */
INLINE Lanes NAME(load)(const float *from, long count) {
    if (count >= LANES) return *(const Unaligned *)from;
    Lanes lanes = {0};
    memcpy(&lanes, from, count * sizeof(float));
    return lanes;
}

INLINE void NAME(store)(float *to, Lanes lanes, long count) {
    if (count >= LANES) *(Unaligned *)to = lanes;
    else memcpy(to, &lanes, count * sizeof(float));
}

/* B^T d for six values, in place */
INLINE void NAME(times_b)(Lanes *d, long step) {
    Lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    Lanes even_a = d4 - B2 * d2, odd_a = A1 * (d3 - B2 * d1), even_b = d4 - A2 * d2, odd_b = B1 * (d3 - A2 * d1);
    d[0] = A2 * B2 * d0 - (A2 + B2) * d2 + d4;
    d[step] = even_a + odd_a;
    d[2 * step] = even_a - odd_a;
    d[3 * step] = even_b + odd_b;
    d[4 * step] = even_b - odd_b;
    d[5 * step] = A2 * B2 * d1 - (A2 + B2) * d3 + d5;
}

/* A^T m, from six values to four */
INLINE void NAME(times_a)(const Lanes *m, Lanes *y, long step) {
    Lanes sum_a = m[1] + m[2], difference_a = A1 * (m[1] - m[2]), sum_b = m[3] + m[4], difference_b = B1 * (m[3] - m[4]);
    y[0] = m[0] + sum_a + sum_b;
    y[step] = difference_a + difference_b;
    y[2 * step] = A2 * sum_a + B2 * sum_b;
    y[3 * step] = A2 * difference_a + B2 * difference_b + m[5];
}

INLINE void NAME(input_lanes)(const float *x, Map map, long top, long left, long count, float *v, long element_stride) {
    Lanes d[ELEMENTS];
    int inside = top >= 0 && left >= 0 && top + INPUT_TILE <= map.height && left + INPUT_TILE <= map.width;
    for (long i = 0; i < INPUT_TILE; i++)
        for (long j = 0; j < INPUT_TILE; j++) {
            long row = top + i, column = left + j;
            if (inside || (row >= 0 && column >= 0 && row < map.height && column < map.width))
                d[INPUT_TILE * i + j] = NAME(load)(x + (row * map.width + column) * map.channels, count);
            else
                d[INPUT_TILE * i + j] = (Lanes){0};
        }
    for (int j = 0; j < INPUT_TILE; j++) NAME(times_b)(d + j, INPUT_TILE);
    for (int i = 0; i < INPUT_TILE; i++) {
        NAME(times_b)(d + INPUT_TILE * i, 1);
        for (int j = 0; j < INPUT_TILE; j++) NAME(store)(v + (INPUT_TILE * i + j) * element_stride, d[INPUT_TILE * i + j], count);
    }
}

/* B^T d B of the input tile whose first pixel is (top, left), zeros outside the map. v: [ELEMENTS] rows of channels, element_stride
 * apart. */
static void NAME(transform_input)(const float *x, Map map, long top, long left, float *v, long element_stride) {
    long c = 0;
    for (; c + LANES <= map.channels; c += LANES) NAME(input_lanes)(x + c, map, top, left, LANES, v + c, element_stride);
    if (c < map.channels) NAME(input_lanes)(x + c, map, top, left, map.channels - c, v + c, element_stride);
}

INLINE void NAME(output_lanes)(const float *m, long element_stride, const float *bias, int add, Map map, long top, long left,
                               long count, float *out) {
    Lanes half[INPUT_TILE * TILE], y[TILE * TILE], offset = {0};
    if (bias != NULL) offset = NAME(load)(bias, count);
    for (int j = 0; j < INPUT_TILE; j++) {
        Lanes column[INPUT_TILE];
        for (int i = 0; i < INPUT_TILE; i++) column[i] = *(const Unaligned *)(m + (INPUT_TILE * i + j) * element_stride);
        NAME(times_a)(column, half + j, INPUT_TILE);
    }
    for (int i = 0; i < TILE; i++) NAME(times_a)(half + INPUT_TILE * i, y + TILE * i, 1);
    int inside = top + TILE <= map.height && left + TILE <= map.width;
    for (long i = 0; i < TILE; i++)
        for (long j = 0; j < TILE; j++) {
            if (!inside && (top + i >= map.height || left + j >= map.width)) continue;
            float *to = out + ((top + i) * map.width + left + j) * map.channels;
            Lanes value = y[TILE * i + j] + offset;
            if (add) value += NAME(load)(to, count);
            NAME(store)(to, value, count);
        }
}

/* A^T m A + bias, the output tile whose first pixel is (top, left); only pixels inside the map are written. */
static void NAME(transform_output)(const float *m, long element_stride, const float *bias, int add, Map map, long top, long left,
                                   float *out) {
    for (long c = 0; c < map.channels; c += LANES) {
        long count = map.channels - c < LANES ? map.channels - c : LANES;
        const float *offset = bias ? bias + c : NULL;
        if (count == LANES) NAME(output_lanes)(m + c, element_stride, offset, add, map, top, left, LANES, out + c);
        else NAME(output_lanes)(m + c, element_stride, offset, add, map, top, left, count, out + c);
    }
}

INLINE void NAME(multiply_rows)(const float *v, long inner, const float *panel, float *m, long row_stride, int rows) {
    Lanes sum[ROWS][NAME(VECTORS)];
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < NAME(VECTORS); p++) sum[r][p] = (Lanes){0};
    for (long k = 0; k < inner; k++) {
        Lanes u[NAME(VECTORS)];
        for (int p = 0; p < NAME(VECTORS); p++) u[p] = *(const Unaligned *)(panel + k * PANEL + p * LANES);
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < NAME(VECTORS); p++) sum[r][p] += v[r * inner + k] * u[p];
    }
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < NAME(VECTORS); p++) *(Unaligned *)(m + r * row_stride + p * LANES) = sum[r][p];
}

/* m [count, PANEL], its rows row_stride apart, = v [count, inner] @ panel [inner, PANEL] */
static void NAME(multiply)(const float *v, long count, long inner, const float *panel, float *m, long row_stride) {
    long r = 0;
    for (; r + ROWS <= count; r += ROWS)
        NAME(multiply_rows)(v + r * inner, inner, panel, m + r * row_stride, row_stride, ROWS);
    for (; r + 2 <= count; r += 2) NAME(multiply_rows)(v + r * inner, inner, panel, m + r * row_stride, row_stride, 2);
    if (r < count) NAME(multiply_rows)(v + r * inner, inner, panel, m + r * row_stride, row_stride, 1);
}

static const Passes NAME(passes) = {NAME(transform_input), NAME(multiply), NAME(transform_output)};

#undef Lanes
#undef Unaligned
