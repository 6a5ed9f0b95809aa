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

static float roll(search_t *s, int slot, int until, int row, int stride, int stage)
{
    float cost = 0.0f;
    const int lanes = s->lanes;
    float *restrict line = s->line, *restrict flow = s->flow;
    for (int t = slot; t < until; t++, row += stride) {
        const float *restrict come = s->arrivals + t * lanes, *restrict rate = s->rates + row * lanes;
        const float *restrict opens = s->opens, *restrict weight = s->weight;
        const float now = (float)t, stop = s->stop;
        for (int l = 0; l < lanes; l++) {
            float stand = line[l] + come[l];
            float out = opens[l] <= now ? rate[l] : 0.0f;
            out = stand < out ? stand : out;
            stand -= out;
            line[l] = stand;
            flow[l] = out;
            cost += weight[l] * (stand + stop * (come[l] < stand ? come[l] : stand));
        }
        for (int k = s->given[stage]; k < s->given[stage + 1]; k++) {
            int l = s->giver[k];
            if (flow[l] > 0.0f) {
                float facing = 0.0f;
                for (int o = 0; o < lanes; o++)
                    facing += s->against[k * lanes + o] * flow[o];
                float chance = 1.0f - facing / s->hopeless;
                chance = chance > 0.03f ? chance : 0.03f;
                float can = 1.0f / (s->steady[k] + s->waiting[k] / chance);
                if (can < flow[l]) {
                    float stay = flow[l] - can;
                    line[l] += stay;
                    flow[l] = can;
                    cost += weight[l] * stay;
                }
            }
        }
    }
    return cost;
}

static float rest(const search_t *s, int stage)
{
    float cost = 0.0f;
    const float *reach = s->reach + stage * s->lanes;
    for (int l = 0; l < s->lanes; l++)
        cost += s->weight[l] * s->line[l] * (reach[l] + s->clearing[l] * s->line[l]);
    return cost;
}

static void keep(search_t *s, int slot, int stage, float cost, float due, int first, int parent)
{
    int32_t *held = s->held + slot * s->stages + stage;
    int base = (slot * s->stages + stage) * s->beam, at = *held;
    if (at == s->beam) {
        at = 0;
        for (int b = 1; b < s->beam; b++)
            if (s->bound[base + b] > s->bound[base + at])
                at = b;
        if (due >= s->bound[base + at])
            return;
    } else {
        *held = at + 1;
    }
    at += base;
    s->paid[at] = cost;
    s->bound[at] = due;
    s->firsts[at] = first;
    s->parents[at] = parent;
    memcpy(s->queues + (size_t)at * s->lanes, s->line, sizeof(float) * s->lanes);
}

int search(search_t *s, int stage_now, int fine, int most, const float *queue, float *best)
{
    const int S = s->stages, B = s->beam, T = s->horizon, L = s->lanes;
    memset(s->held, 0, sizeof(int32_t) * (T + 1) * S);
    for (int k = 0; k < S; k++)
        best[k] = FAR;
    memcpy(s->line, queue, sizeof(float) * L);
    keep(s, 0, stage_now, 0.0f, rest(s, stage_now), stage_now, -1);
    for (int slot = 0; slot < T; slot++) {
        int grain = slot < fine ? 1 : slot < 3 * fine ? 2 : 4, step = grain - slot % grain;
        if (step > T - slot)
            step = T - slot;
        float low = -FAR;
        for (int m = 0; m < most; m++) {
            float least = FAR;
            for (int k = 0; k < S; k++)
                for (int b = 0; b < s->held[slot * S + k]; b++) {
                    float due = s->bound[(slot * S + k) * B + b];
                    if (due > low && due < least)
                        least = due;
                }
            low = least;
            if (least >= FAR)
                break;
        }
        for (int k = 0; k < S; k++)
            for (int b = 0; b < s->held[slot * S + k]; b++) {
                int code = (slot * S + k) * B + b, first = s->firsts[code];
                if (s->bound[code] > low)
                    continue;
                const float *stands = s->queues + (size_t)code * L;
                if (slot == 0 || slot % grain == 0)
                    for (int to = 0; to < S; to++) {
                        int span = s->length[k * S + to];
                        if (to == k || span < 0 || s->skip[to] == 1 || (slot == 0 && s->skip[to] == 2))
                            continue;
                        int last = slot + span < T ? slot + span : T;
                        memcpy(s->line, stands, sizeof(float) * L);
                        float cost = s->paid[code] + s->change + roll(s, slot, last, s->begins[k * S + to], 1, to);
                        float due = cost + rest(s, to), standing = 0.0f;
                        if (slot + span > T) {
                            for (int l = 0; l < L; l++)
                                standing += s->weight[l] * s->line[l];
                            due += standing * (float)(slot + span - T);
                        }
                        keep(s, last, to, cost, due, slot == 0 ? to : first, code);
                    }
                memcpy(s->line, stands, sizeof(float) * L);
                float cost = s->paid[code] + roll(s, slot, slot + step, k, 0, k);
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
