"""The closed loop of sumo-rl, to be timed beside ours, in an environment that has it.

    python rival_sumo_rl.py NET ROUTES BEGIN SECONDS

Every light takes a random stage every 5 s. With LIBSUMO_AS_TRACI set it runs in process. Prints the CPU and wall seconds of the episode,
SUMO's own process included.
"""

from __future__ import annotations

import os
import sys
import time

import sumo

os.environ.setdefault("SUMO_HOME", sumo.SUMO_HOME)
import sumo_rl

net, routes, begin, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
env = sumo_rl.SumoEnvironment(
    net_file=net, route_file=routes, use_gui=False, begin_time=begin, num_seconds=seconds, delta_time=5, yellow_time=3, min_green=5,
    single_agent=False, sumo_seed=1, time_to_teleport=-1, sumo_warnings=False, add_system_info=False,
)  # fmt: skip
started, before = time.perf_counter(), os.times()
env.reset(seed=1)
steps, over = 0, False
while not over:
    done = env.step({light: env.action_spaces(light).sample() for light in env.ts_ids})[2]
    over = done["__all__"]
    steps += 1
env.close()
total = sum(os.times()[:4]) - sum(before[:4])
print(f"{total:.2f} {time.perf_counter() - started:.2f} {steps} {int('LIBSUMO_AS_TRACI' in os.environ)}")
