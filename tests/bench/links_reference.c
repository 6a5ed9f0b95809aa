/* The evaluator of core/kernels/links.py written by hand in C with the same layout, as a yardstick for its speed.
 *
 * Eight plans side by side are one GCC vector (left to gcc 12's vectoriser as inner loops they ran at a tenth of this).
 * Compiled by network_speed.py with gcc -O3 -march=native.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define W 8

typedef struct {
    const int32_t *source_first, *source;
    const float *share, *entry;
    const int32_t *lag;
    const float *smoothing, *storage, *delay_weight, *stop_weight, *spill_weight;
    const int32_t *layer_first;
    const int64_t *layer_stages;
    const float *layer_rate, *layer_loss, *layer_gain;
    const int32_t *window_first, *node_first, *node_link, *repeats, *slot_first, *interstage_first;
    const float *interstage;
    int64_t links, nodes, layers;
} net_t;

typedef float wide __attribute__((vector_size(W * 4)));
typedef float loose __attribute__((vector_size(W * 4), aligned(4)));
typedef int32_t bits __attribute__((vector_size(W * 4)));
static inline wide spread(float x) { return (wide){x, x, x, x, x, x, x, x}; }
static inline wide get(const float *p) { return *(const loose *)p; }
static inline void set(float *p, wide x) { *(loose *)p = x; }
static inline wide add(wide a, wide b) { return a + b; }
static inline wide sub(wide a, wide b) { return a - b; }
static inline wide mul(wide a, wide b) { return a * b; }
static inline wide quo(wide a, wide b) { return a / b; }
#ifdef __AVX__
#include <immintrin.h>
static inline wide below(wide a) { return (wide)_mm256_floor_ps((__m256)a); }
static inline wide low(wide a, wide b) { return (wide)_mm256_min_ps((__m256)a, (__m256)b); }
static inline wide high(wide a, wide b) { return (wide)_mm256_max_ps((__m256)a, (__m256)b); }
static inline wide root8(wide a) { return (wide)_mm256_sqrt_ps((__m256)a); }
#else
static inline wide below(wide a) { for (int w = 0; w < W; w++) a[w] = floorf(a[w]); return a; }
static inline wide low(wide a, wide b) { bits m = a < b; return (wide)(((bits)a & m) | ((bits)b & ~m)); }
static inline wide high(wide a, wide b) { bits m = a > b; return (wide)(((bits)a & m) | ((bits)b & ~m)); }
static inline wide root8(wide a) { for (int w = 0; w < W; w++) a[w] = sqrtf(a[w]); return a; }
#endif
static inline wide magnitude(wide a) { bits m = (bits){0} + 0x7fffffff; return (wide)((bits)a & m); }
static inline wide fma8(wide a, wide b, wide c) { return a * b + c; }

static void set_windows(const net_t *net, int64_t node, int64_t cycle, const int32_t *stage, const float *offset,
                        const float *green, float *begin, float *end, float *middle, float *half, int32_t *used)
{
    const int64_t slots = net->slot_first[node + 1] - net->slot_first[node], table = net->interstage_first[node];
    const int64_t repeats = net->repeats[node];
    const float own = (float)cycle / (float)repeats;
    wide time = get(offset);
    for (int64_t k = 0; k < slots; k++) {
        const int64_t before = k > 0 ? stage[k - 1] : stage[slots - 1];
        time = add(time, spread(net->interstage[table + before * slots + stage[k]]));
        set(begin + k * W, time);
        time = add(time, get(green + k * W));
        set(end + k * W, time);
    }
    for (int64_t at = net->node_first[node]; at < net->node_first[node + 1]; at++) {
        const int64_t link = net->node_link[at];
        for (int64_t layer = net->layer_first[link]; layer < net->layer_first[link + 1]; layer++) {
            const int64_t stages = net->layer_stages[layer];
            int64_t window = net->window_first[layer], red = -1;
            for (int64_t k = 0; k < slots; k++)
                if (((stages >> stage[k]) & 1) == 0) red = k;
            if (red < 0) {
                set(middle + window * W, spread(0.5f * (float)cycle));
                set(half + window * W, spread(0.5f * (float)cycle + 1.0f));
                window++;
            }
            int running = 0;
            wide opened = spread(0.0f);
            for (int64_t step = 1; red >= 0 && step <= slots; step++) {
                const int later = red + step >= slots;
                const int64_t k = later ? red + step - slots : red + step;
                const int going = (stages >> stage[k]) & 1;
                if (going && !running)
                    opened = add(get(begin + k * W), spread((later ? own : 0.0f) + net->layer_loss[layer]));
                if (running && !going) {
                    const int64_t last = k > 0 ? k - 1 : slots - 1;
                    const wide shut = add(get(end + last * W), spread((later && k > 0 ? own : 0.0f) + net->layer_gain[layer]));
                    const wide length = high(sub(shut, opened), spread(0.0f));
                    for (int64_t turn = 0; turn < repeats; turn++, window++) {
                        const wide centre = fma8(spread(0.5f), length, add(opened, spread((float)turn * own)));
                        const wide rounds = below(mul(centre, spread(1.0f / (float)cycle)));
                        set(middle + window * W, sub(centre, mul(rounds, spread((float)cycle))));
                        set(half + window * W, mul(spread(0.5f), length));
                    }
                }
                running = going;
            }
            used[layer] = (int32_t)(window - net->window_first[layer]);
        }
    }
}

static inline wide overlap(wide clock, wide most, wide reach, wide slope, wide around)
{
    wide away = magnitude(clock);
    wide near = low(away, sub(around, away));
    return low(high(fma8(slope, near, reach), spread(0.0f)), most);
}

static void solve(const net_t *net, int64_t link, int64_t cycle, float hours, float *restrict arrivals, wide flow, wide carry,
                  float *restrict go, const float *middle, const float *half, const int32_t *used,
                  float *restrict departures, int measured, float *value)
{
    const wide zero = spread(0.0f), keep = spread(1.0f - net->smoothing[link]), trace = spread(1e-20f);
    const wide around = spread((float)cycle);
    wide capacity = zero, balance = zero, deepest = zero;
    const int64_t layer = net->layer_first[link];
    for (int64_t l = layer; l < net->layer_first[link + 1]; l++)
        for (int64_t w = net->window_first[l]; w < net->window_first[l] + used[l]; w++) {
            wide arm = get(half + w * W);
            capacity = add(capacity, mul(low(add(arm, arm), around), spread(net->layer_rate[l])));
        }
    const wide served = low(quo(capacity, high(flow, trace)), spread(1.0f));
    if (net->layer_first[link + 1] - layer == 1 && used[layer] == 1) {
        const int64_t w = net->window_first[layer] * W;
        const wide arm = get(half + w), rate = spread(net->layer_rate[layer]);
        const wide start = sub(spread(0.5f), get(middle + w)), most = mul(low(add(arm, arm), spread(1.0f)), rate);
        const wide reach = mul(add(arm, spread(0.5f)), rate), slope = spread(-net->layer_rate[layer]);
        wide clock = start;
        for (int64_t t = 0; t < cycle; t++) {
            wide let = overlap(clock, most, reach, slope, around);
            clock = add(clock, spread(1.0f));
            set(go + t * W, let);
            wide e = mul(add(get(arrivals + t * W), carry), served);
            carry = fma8(carry, keep, trace);
            set(arrivals + t * W, e);
            balance = add(balance, sub(e, let));
            deepest = low(deepest, balance);
        }
    } else {
        memset(go, 0, (size_t)(cycle * W) * sizeof(float));
        for (int64_t l = layer; l < net->layer_first[link + 1]; l++)
            for (int64_t w = net->window_first[l]; w < net->window_first[l] + used[l]; w++) {
                const wide arm = get(half + w * W), rate = spread(net->layer_rate[l]);
                const wide start = sub(spread(0.5f), get(middle + w * W)), most = mul(low(add(arm, arm), spread(1.0f)), rate);
                const wide reach = mul(add(arm, spread(0.5f)), rate), slope = spread(-net->layer_rate[l]);
                wide clock = start;
                for (int64_t t = 0; t < cycle; t++) {
                    set(go + t * W, add(get(go + t * W), overlap(clock, most, reach, slope, around)));
                    clock = add(clock, spread(1.0f));
                }
            }
        for (int64_t t = 0; t < cycle; t++) {
            wide e = mul(add(get(arrivals + t * W), carry), served);
            carry = fma8(carry, keep, trace);
            set(arrivals + t * W, e);
            balance = add(balance, sub(e, get(go + t * W)));
            deepest = low(deepest, balance);
        }
    }
    wide q = sub(balance, deepest);
    balance = q;
    deepest = zero;
    if (!measured) {
        for (int64_t t = 0; t < cycle; t++) {
            wide e = get(arrivals + t * W), let = get(go + t * W);
            set(departures + t * W, low(add(q, e), let));
            balance = add(balance, sub(e, let));
            deepest = low(deepest, balance);
            q = sub(balance, deepest);
        }
        return;
    }
    wide waiting = zero, passing = zero, longest = zero;
    for (int64_t t = 0; t < cycle; t++) {
        wide e = get(arrivals + t * W), let = get(go + t * W);
        passing = add(passing, low(e, high(sub(let, q), zero)));
        balance = add(balance, sub(e, let));
        deepest = low(deepest, balance);
        q = sub(balance, deepest);
        waiting = add(waiting, q);
        longest = high(longest, q);
    }
    const wide per_hour = spread(3600.0f / (float)cycle), mean = spread(1.0f / (float)cycle);
    const wide demand = mul(flow, per_hour), over = sub(demand, mul(capacity, per_hour));
    const wide swing = add(root8(fma8(over, over, mul(spread(4.0f / hours), demand))), magnitude(over));
    const wide random = fma8(spread(0.5f * hours), high(over, zero), quo(demand, high(swing, trace)));
    const wide excess = high(sub(add(longest, random), spread(net->storage[link])), zero);
    wide worth = mul(spread(net->delay_weight[link]), fma8(waiting, mean, random));
    worth = fma8(mul(spread(net->stop_weight[link]), sub(mul(flow, served), passing)), mean, worth);
    set(value + link * W, fma8(mul(spread(net->spill_weight[link]), excess), excess, worth));
}

static void arrive(const net_t *net, int64_t link, int64_t cycle, float settle, const float *restrict departures, float *restrict arrivals,
                   wide *flow_out, wide *carry_out)
{
    const float f = net->smoothing[link];
    const int64_t first = net->source_first[link], last = net->source_first[link + 1], lag = net->lag[link], row = cycle * W;
    const wide base = spread(net->entry[link] * f + 1e-20f), keep = spread(1.0f - f);
    wide flow = spread(0.0f), total = flow;
    int64_t at = first;
    if (last - first > 3) {
        for (int64_t t = 0; t < cycle; t++) set(arrivals + t * W, base);
        for (; last - at > 3; at += 3) {
            const wide s1 = spread(net->share[at] * f), s2 = spread(net->share[at + 1] * f), s3 = spread(net->share[at + 2] * f);
            const float *a = departures + net->source[at] * row, *b = departures + net->source[at + 1] * row,
                        *c = departures + net->source[at + 2] * row;
            for (int64_t t = 0; t < cycle; t++) {
                int64_t k = (t >= lag ? t - lag : t - lag + cycle) * W;
                wide e = fma8(get(a + k), s1, get(arrivals + t * W));
                e = fma8(get(b + k), s2, e);
                set(arrivals + t * W, fma8(get(c + k), s3, e));
            }
        }
    }
    if (last == first) {
        for (int64_t t = 0; t < cycle; t++) {
            flow = fma8(keep, flow, base);
            total = add(total, base);
            set(arrivals + t * W, flow);
        }
    } else {
        const int64_t one = at, two = at + 1 < last - 1 ? at + 1 : last - 1, three = at + 2 < last - 1 ? at + 2 : last - 1;
        const wide s1 = spread(net->share[one] * f), s2 = spread(two > one ? net->share[two] * f : 0.0f),
                   s3 = spread(three > two ? net->share[three] * f : 0.0f);
        const float *a = departures + net->source[one] * row, *b = departures + net->source[two] * row,
                    *c = departures + net->source[three] * row;
        int64_t from = 0, to = lag, shift = cycle - lag;
        for (int turn = 0; turn < 2; turn++) {
            for (int64_t t = from; t < to; t++) {
                const int64_t k = (t + shift) * W;
                wide e = at > first ? get(arrivals + t * W) : base;
                e = fma8(get(a + k), s1, e);
                e = fma8(get(b + k), s2, e);
                e = fma8(get(c + k), s3, e);
                total = add(total, e);
                flow = fma8(keep, flow, e);
                set(arrivals + t * W, flow);
            }
            from = lag;
            to = cycle;
            shift = -lag;
        }
    }
    *flow_out = mul(total, spread(1.0f / f));
    *carry_out = mul(flow, spread(settle));
}

void evaluate(const net_t *net, int64_t cycle, int64_t sweeps, double hours, const float *first, int64_t plans, int64_t slots,
              const int32_t *offset, const int32_t *stage, const int32_t *green, double *value)
{
    const int64_t links = net->links, nodes = net->nodes, windows = net->window_first[net->layers];
    float *middle = calloc((size_t)(windows * W), 4), *half = calloc((size_t)(windows * W), 4);
    int32_t *used = calloc((size_t)net->layers, 4);
    float *arrivals = malloc((size_t)(cycle * W) * 4), *go = malloc((size_t)(cycle * W) * 4);
    float *now = malloc((size_t)(links * cycle * W) * 4), *before = malloc((size_t)(links * cycle * W) * 4);
    float *worth = malloc((size_t)(links * W) * 4);
    float *settle = malloc((size_t)links * 4);
    for (int64_t link = 0; link < links; link++) {
        double keep = 1.0 - (double)net->smoothing[link];
        settle[link] = (float)(keep / (1.0 - pow(keep, (double)cycle)));
    }
    float offset8[W], green8[W * 64], begin[W * 64], end[W * 64];
    for (int64_t l = 0; l < net->layers; l++)
        if (net->layer_stages[l] == -1) {
            used[l] = 1;
            for (int w = 0; w < W; w++) {
                middle[net->window_first[l] * W + w] = 0.5f * (float)cycle;
                half[net->window_first[l] * W + w] = 0.5f * (float)cycle + 1.0f;
            }
        }
    for (int64_t block = 0; block < (plans + W - 1) / W; block++) {
        for (int64_t node = 0; node < nodes; node++) {
            const int64_t a = net->slot_first[node], n = net->slot_first[node + 1] - a;
            for (int w = 0; w < W; w++) {
                const int64_t plan = block * W + w < plans ? block * W + w : plans - 1;
                offset8[w] = (float)offset[plan * nodes + node];
                for (int64_t k = 0; k < n; k++) green8[k * W + w] = (float)green[plan * slots + a + k];
            }
            set_windows(net, node, cycle, stage + block * slots + a, offset8, green8, begin, end, middle, half, used);
        }
        for (int64_t sweep = 0; sweep < sweeps; sweep++) {
            float *swap = now;
            now = before;
            before = swap;
            for (int64_t link = 0; link < links; link++) {
                wide flow = spread(0.0f), carry = flow;
                if (sweep == 0)
                    for (int64_t t = 0; t < cycle; t++) {
                        const wide e = spread(first[link * cycle + t]);
                        flow = add(flow, e);
                        set(arrivals + t * W, e);
                    }
                else
                    arrive(net, link, cycle, settle[link], before, arrivals, &flow, &carry);
                solve(net, link, cycle, (float)hours, arrivals, flow, carry, go, middle, half, used,
                      now + link * cycle * W, sweep == sweeps - 1, worth);
            }
        }
        for (int w = 0; w < W && block * W + w < plans; w++) {
            double total = 0.0;
            for (int64_t link = 0; link < links; link++) total += (double)worth[link * W + w];
            value[block * W + w] = total;
        }
    }
    free(middle); free(half); free(used); free(arrivals); free(go); free(now); free(before); free(worth); free(settle);
}
