/* The search kernel by hand, for comparison: gcc -O3 -march=native -ffast-math -shared -fPIC. Arrays as in core/kernels/search.py. */
#include <stdint.h>
#include <string.h>

#define FAR 1e30f

typedef struct {
    int lanes, stages, horizon, beam;
    const float *arrivals, *opens, *weight, *rates, *steady, *waiting, *against, *reach, *clearing;
    const int32_t *length, *begins, *given, *giver, *skip;
    float stop, change, hopeless;
    float *paid, *bound, *queues;
    int32_t *firsts, *parents, *held;
    float *flow, *line;
} search_t;

typedef float wide __attribute__((vector_size(32)));
typedef int32_t mask __attribute__((vector_size(32)));
#define W 8

static inline wide get(const float *at) { wide v; memcpy(&v, at, sizeof v); return v; }
static inline void set(float *at, wide v) { memcpy(at, &v, sizeof v); }
static inline wide spread(float x) { return (wide){x, x, x, x, x, x, x, x}; }
#ifdef __AVX__
#include <immintrin.h>
static inline wide low(wide a, wide b) { return (wide)_mm256_min_ps((__m256)a, (__m256)b); }
static inline wide high(wide a, wide b) { return (wide)_mm256_max_ps((__m256)a, (__m256)b); }
#else
static inline wide low(wide a, wide b) { mask m = a < b; return (wide)(((mask)a & m) | ((mask)b & ~m)); }
static inline wide high(wide a, wide b) { mask m = a > b; return (wide)(((mask)a & m) | ((mask)b & ~m)); }
#endif
static inline wide while_open(wide opens, wide now, wide rate) { return (wide)((opens <= now) & (mask)rate); }
static inline wide above(wide due, wide limit) { const mask m = due > limit; return (wide)(((mask)due & m) | ((mask)spread(FAR) & ~m)); }

#define FOLD(v, join) \
    wide half = join(v, __builtin_shuffle(v, (mask){4, 5, 6, 7, 0, 1, 2, 3})); \
    half = join(half, __builtin_shuffle(half, (mask){2, 3, 0, 1, 2, 3, 0, 1})); \
    half = join(half, __builtin_shuffle(half, (mask){1, 0, 1, 0, 1, 0, 1, 0})); \
    return half[0];
#define PLUS(a, b) ((a) + (b))
static inline float total(wide v) { FOLD(v, PLUS) }
static inline float least(wide v) { FOLD(v, low) }
static inline float most_of(wide v) { FOLD(v, high) }

static const float ALONE[W * W] = {
    [0] = 1, [9] = 1, [18] = 1, [27] = 1, [36] = 1, [45] = 1, [54] = 1, [63] = 1,
};

static inline wide hold_back(const search_t *s, int k, float *restrict line, float *restrict flow, float scarce, wide cost)
{
    const int lanes = s->lanes, lane = s->giver[k];
    if (flow[lane] > 0.0f) {
        wide facing = spread(0.0f);
        for (int l = 0; l < lanes; l += W)
            facing += get(s->against + k * lanes + l) * get(flow + l);
        float chance = 1.0f - total(facing) * scarce;
        chance = chance > 0.03f ? chance : 0.03f;
        float stay = flow[lane] - chance / (s->steady[k] * chance + s->waiting[k]);
        if (stay > 0.0f) {
            const int home = lane / W * W;
            const wide back = get(ALONE + (lane - home) * W) * spread(stay);
            set(line + home, get(line + home) + back);
            set(flow + home, get(flow + home) - back);
            cost += get(s->weight + home) * back;
        }
    }
    return cost;
}

static inline float roll(const search_t *s, int slot, int until, int row, int stride, int stage, const float *stands, float scarce)
{
    const int lanes = s->lanes, first = s->given[stage], last = s->given[stage + 1];
    float *restrict line = s->line, *restrict flow = s->flow;
    const float *restrict arrivals = s->arrivals, *restrict rates = s->rates, *restrict opens = s->opens, *restrict weight = s->weight;
    const wide stop = spread(s->stop), zero = spread(0.0f);
    wide cost = zero;
    if (first == last) {
        const wide one = spread(1.0f);
        for (int l = 0; l < lanes; l += 2 * W) {
            const int apart = l + W < lanes ? W : 0, m = l + apart;
            wide stand = get(stands + l), stand2 = get(stands + m), out = zero, out2 = zero, cost2 = zero, now = spread((float)slot);
            const wide shut = get(opens + l), shut2 = get(opens + m), each = get(weight + l), each2 = get(weight + m);
            const float *come_at = arrivals + slot * lanes + l, *rate_at = rates + row * lanes + l;
            for (int t = slot; t < until; t++, come_at += lanes, rate_at += stride * lanes, now += one) {
                const wide come = get(come_at), come2 = get(come_at + apart);
                stand += come;
                stand2 += come2;
                out = low(stand, while_open(shut, now, get(rate_at)));
                out2 = low(stand2, while_open(shut2, now, get(rate_at + apart)));
                stand -= out;
                stand2 -= out2;
                cost += each * (stand + stop * low(come, stand));
                cost2 += each2 * (stand2 + stop * low(come2, stand2));
            }
            set(line + m, stand2);
            set(line + l, stand);
            set(flow + m, out2);
            set(flow + l, out);
            if (apart)
                cost += cost2;
        }
        return total(cost);
    }
    for (int l = 0; l < lanes; l += W)
        set(line + l, get(stands + l));
    for (int t = slot; t < until; t++, row += stride) {
        const wide now = spread((float)t);
        for (int l = 0; l < lanes; l += W) {
            const wide come = get(arrivals + t * lanes + l);
            wide stand = get(line + l) + come;
            const wide out = low(stand, while_open(get(opens + l), now, get(rates + row * lanes + l)));
            stand -= out;
            set(line + l, stand);
            set(flow + l, out);
            cost += get(weight + l) * (stand + stop * low(come, stand));
        }
        for (int k = first; k < last; k++)
            cost = hold_back(s, k, line, flow, scarce, cost);
    }
    return total(cost);
}

static inline float rest(const search_t *s, int stage)
{
    wide cost = spread(0.0f);
    const float *reach = s->reach + stage * s->lanes;
    for (int l = 0; l < s->lanes; l += W) {
        const wide stand = get(s->line + l);
        cost += get(s->weight + l) * stand * (get(reach + l) + get(s->clearing + l) * stand);
    }
    return total(cost);
}

static inline float standing(const search_t *s)
{
    wide cost = spread(0.0f);
    for (int l = 0; l < s->lanes; l += W)
        cost += get(s->weight + l) * get(s->line + l);
    return total(cost);
}

static inline void keep(search_t *s, int slot, int stage, float cost, float due, int first, int parent)
{
    int32_t *held = s->held + slot * s->stages + stage;
    const int beam = s->beam, base = (slot * s->stages + stage) * beam;
    int at = *held;
    if (at < beam) {
        *held = at + 1;
    } else {
        wide worst = get(s->bound + base);
        for (int b = W; b < beam; b += W)
            worst = high(worst, get(s->bound + base + b));
        const float dearest = most_of(worst);
        if (due >= dearest)
            return;
        at = 0;
        while (s->bound[base + at] < dearest)
            at++;
    }
    at += base;
    s->paid[at] = cost;
    s->bound[at] = due;
    s->firsts[at] = first;
    s->parents[at] = parent;
    for (int l = 0; l < s->lanes; l += W)
        set(s->queues + (size_t)at * s->lanes + l, get(s->line + l));
}

static inline float threshold(const search_t *s, int slot, int most)
{
    const int places = s->stages * s->beam;
    const float *bound = s->bound + slot * places;
    float limit = -FAR;
    for (int m = 0; m < most; m++) {
        wide found = spread(FAR);
        for (int at = 0; at < places; at += W)
            found = low(found, above(get(bound + at), spread(limit)));
        limit = least(found);
        if (limit >= FAR)
            return FAR;
    }
    return limit;
}

int search(search_t *s, int stage_now, int fine, int most, const float *queue, float *best)
{
    const int S = s->stages, B = s->beam, T = s->horizon, L = s->lanes;
    const float scarce = 1.0f / s->hopeless;
    memset(s->held, 0, sizeof(int32_t) * (T + 1) * S);
    for (int k = 0; k < (T + 1) * S * B; k++)
        s->bound[k] = FAR;
    for (int k = 0; k < S; k++)
        best[k] = FAR;
    memcpy(s->line, queue, sizeof(float) * L);
    keep(s, 0, stage_now, 0.0f, rest(s, stage_now), stage_now, -1);
    for (int slot = 0; slot < T; slot++) {
        int grain = slot < fine ? 1 : slot < 3 * fine ? 2 : 4, step = grain - slot % grain;
        if (step > T - slot)
            step = T - slot;
        const float limit = threshold(s, slot, most);
        for (int k = 0; k < S; k++)
            for (int b = 0; b < s->held[slot * S + k]; b++) {
                int code = (slot * S + k) * B + b, first = s->firsts[code];
                if (s->bound[code] > limit)
                    continue;
                const float *stands = s->queues + (size_t)code * L;
                if (slot == 0 || slot % grain == 0)
                    for (int to = 0; to < S; to++) {
                        int span = s->length[k * S + to];
                        if (to == k || span < 0 || s->skip[to] == 1 || (slot == 0 && s->skip[to] == 2))
                            continue;
                        int last = slot + span < T ? slot + span : T;
                        float cost = s->paid[code] + s->change + roll(s, slot, last, s->begins[k * S + to], 1, to, stands, scarce);
                        float due = cost + rest(s, to);
                        if (slot + span > T)
                            due += standing(s) * (float)(slot + span - T);
                        keep(s, last, to, cost, due, slot == 0 ? to : first, code);
                    }
                float cost = s->paid[code] + roll(s, slot, slot + step, k, 0, k, stands, scarce);
                keep(s, slot + step, k, cost, cost + rest(s, k), first, code);
            }
    }
    int answer = -1;
    float least = FAR;
    for (int k = 0; k < S; k++)
        for (int b = 0; b < s->held[T * S + k]; b++) {
            int code = (T * S + k) * B + b;
            float due = s->bound[code];
            if (due < best[s->firsts[code]])
                best[s->firsts[code]] = due;
            if (due < least) {
                least = due;
                answer = code;
            }
        }
    return answer;
}
