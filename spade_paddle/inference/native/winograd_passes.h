/* SPDX-License-Identifier: Apache-2.0 */
/* The three passes of winograd.c, compiled for one generation of processors.
 *
 * LANES: floats of a vector register. ROWS: rows of a product that are summed in registers at once. NAME(f): f's name there.
 */
enum { NAME(PARTS) = PANEL / LANES };

typedef float NAME(Lanes) __attribute__((vector_size(4 * LANES)));
typedef NAME(Lanes) NAME(Loose) __attribute__((aligned(4), may_alias));
#define Lanes NAME(Lanes)
#define Loose NAME(Loose)

/* the first count of LANES channels; the others count as 0 and are not read or written */
INLINE Lanes NAME(load)(const float *from, long count) {
    if (count >= LANES) return *(const Loose *)from;
    Lanes lanes = {0};
    memcpy(&lanes, from, count * sizeof(float));
    return lanes;
}

INLINE void NAME(store)(float *to, Lanes lanes, long count) {
    if (count >= LANES) *(Loose *)to = lanes;
    else memcpy(to, &lanes, count * sizeof(float));
}

/* B^T d, six values in place */
INLINE void NAME(forward)(Lanes *d, long step) {
    Lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    Lanes even_a = d4 - B2 * d2, odd_a = A1 * (d3 - B2 * d1), even_b = d4 - A2 * d2, odd_b = B1 * (d3 - A2 * d1);
    d[0] = A2 * B2 * d0 - (A2 + B2) * d2 + d4;
    d[step] = even_a + odd_a;
    d[2 * step] = even_a - odd_a;
    d[3 * step] = even_b + odd_b;
    d[4 * step] = even_b - odd_b;
    d[5 * step] = A2 * B2 * d1 - (A2 + B2) * d3 + d5;
}

/* A^T m, six values to four */
INLINE void NAME(backward)(const Lanes *m, Lanes *y, long step) {
    Lanes sum_a = m[1] + m[2], difference_a = A1 * (m[1] - m[2]), sum_b = m[3] + m[4], difference_b = B1 * (m[3] - m[4]);
    y[0] = m[0] + sum_a + sum_b;
    y[step] = difference_a + difference_b;
    y[2 * step] = A2 * sum_a + B2 * sum_b;
    y[3 * step] = A2 * difference_a + B2 * difference_b + m[5];
}

INLINE void NAME(gather_lanes)(const float *x, Map map, long top, long left, long count, float *v, long spot) {
    Lanes d[SPOTS];
    int inside = top >= 0 && left >= 0 && top + REACH <= map.height && left + REACH <= map.width;
    for (long i = 0; i < REACH; i++)
        for (long j = 0; j < REACH; j++) {
            long row = top + i, column = left + j;
            if (inside || (row >= 0 && column >= 0 && row < map.height && column < map.width))
                d[REACH * i + j] = NAME(load)(x + (row * map.width + column) * map.channels, count);
            else
                d[REACH * i + j] = (Lanes){0};
        }
    for (int j = 0; j < REACH; j++) NAME(forward)(d + j, REACH);
    for (int i = 0; i < REACH; i++) {
        NAME(forward)(d + REACH * i, 1);
        for (int j = 0; j < REACH; j++) NAME(store)(v + (REACH * i + j) * spot, d[REACH * i + j], count);
    }
}

/* B^T d B of the REACH x REACH pixels from (top, left) on, zeros outside of the map. v: one row, the next spot `spot` away. */
static void NAME(gather)(const float *x, Map map, long top, long left, float *v, long spot) {
    long c = 0;
    for (; c + LANES <= map.channels; c += LANES) NAME(gather_lanes)(x + c, map, top, left, LANES, v + c, spot);
    if (c < map.channels) NAME(gather_lanes)(x + c, map, top, left, map.channels - c, v + c, spot);
}

INLINE void NAME(scatter_lanes)(const float *m, long spot, const float *bias, int add, Map map, long top, long left, long count,
                                float *out) {
    Lanes half[REACH * TILE], y[TILE * TILE], offset = {0};
    if (bias != NULL) offset = NAME(load)(bias, count);
    for (int j = 0; j < REACH; j++) {
        Lanes column[REACH];
        for (int i = 0; i < REACH; i++) column[i] = *(const Loose *)(m + (REACH * i + j) * spot);
        NAME(backward)(column, half + j, REACH);
    }
    for (int i = 0; i < TILE; i++) NAME(backward)(half + REACH * i, y + TILE * i, 1);
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

/* A^T m A, the TILE x TILE pixels from (top, left) on, of which those within the map are written. */
static void NAME(scatter)(const float *m, long spot, const float *bias, int add, Map map, long top, long left, float *out) {
    for (long c = 0; c < map.channels; c += LANES) {
        long count = map.channels - c < LANES ? map.channels - c : LANES;
        const float *offset = bias ? bias + c : NULL;
        if (count == LANES) NAME(scatter_lanes)(m + c, spot, offset, add, map, top, left, LANES, out + c);
        else NAME(scatter_lanes)(m + c, spot, offset, add, map, top, left, count, out + c);
    }
}

INLINE void NAME(multiply_rows)(const float *v, long inner, const float *panel, float *m, long step, int rows) {
    Lanes sum[ROWS][NAME(PARTS)];
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < NAME(PARTS); p++) sum[r][p] = (Lanes){0};
    for (long k = 0; k < inner; k++) {
        Lanes u[NAME(PARTS)];
        for (int p = 0; p < NAME(PARTS); p++) u[p] = *(const Loose *)(panel + k * PANEL + p * LANES);
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < NAME(PARTS); p++) sum[r][p] += v[r * inner + k] * u[p];
    }
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < NAME(PARTS); p++) *(Loose *)(m + r * step + p * LANES) = sum[r][p];
}

/* m [count, PANEL], rows `step` apart, = v [count, inner] @ panel [inner, PANEL] */
static void NAME(multiply)(const float *v, long count, long inner, const float *panel, float *m, long step) {
    long r = 0;
    for (; r + ROWS <= count; r += ROWS) NAME(multiply_rows)(v + r * inner, inner, panel, m + r * step, step, ROWS);
    for (; r + 2 <= count; r += 2) NAME(multiply_rows)(v + r * inner, inner, panel, m + r * step, step, 2);
    if (r < count) NAME(multiply_rows)(v + r * inner, inner, panel, m + r * step, step, 1);
}

static const Passes NAME(passes) = {NAME(gather), NAME(multiply), NAME(scatter)};

#undef Lanes
#undef Loose
