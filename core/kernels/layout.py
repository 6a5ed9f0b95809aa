"""How a network lies in memory for the planning kernels: flat arrays, rows one after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .wide import WIDTH

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


class Network(NamedTuple):
    """A network in flat arrays; `*_first` arrays have one more element than rows and say where each row begins.

    source_first, source, share : links that feed a link, and the share [-] of their departures that it gets
    entry : (n_links,) [veh/s] traffic that joins evenly; lag : (n_links,) [s] shift; smoothing : (n_links,) F [-]
    storage : (n_links,) [veh]; delay_weight, stop_weight [s], spill_weight : (n_links,)
    layer_first, layer_stages, layer_rate, layer_loss, layer_gain : when a link may discharge: bit s of
        `layer_stages` says that stage s of its intersection lets it go at `layer_rate` [veh/s], from `layer_loss` [s]
        after the green begins to `layer_gain` [s] after it ends; all bits set: always. Layers add up.
    window_first : (n_layers + 1,) room for the green windows of each layer
    node_first, node_link : links of each intersection; repeats : (n_nodes,) its cycles within the common one
    slot_first : (n_nodes + 1,) stages of each intersection; interstage_first, interstage : [s] from stage to stage
    reach_first, reach, depth : links that feel a change at an intersection, and the first sweep in which they do
    """

    source_first: I32
    source: I32
    share: F32
    entry: F32
    lag: I32
    smoothing: F32
    storage: F32
    delay_weight: F32
    stop_weight: F32
    spill_weight: F32
    layer_first: I32
    layer_stages: NDArray[np.int64]
    layer_rate: F32
    layer_loss: F32
    layer_gain: F32
    window_first: I32
    node_first: I32
    node_link: I32
    repeats: I32
    slot_first: I32
    interstage_first: I32
    interstage: F32
    reach_first: I32
    reach: I32
    depth: I32


class Scratch(NamedTuple):
    """Working memory of one core; `scratch_for` makes it. Flat arrays of eights unless said otherwise."""

    arrivals: F32
    go: F32
    departures: F32
    before: F32
    worth: F32
    settle: F32
    middle: F32
    half: F32
    used: I32
    begin: F32
    end: F32
    offset: F32
    green: F32
    depth: I32
    copied: I32
    turn: I32


def scratch_for(net: Network, cycle: int) -> Scratch:
    """Working memory for a network and a number of bins."""
    links, layers = net.lag.size, net.layer_stages.size
    slots = max(1, int(np.diff(net.slot_first).max(initial=1)))

    def eights(count: int) -> F32:
        return np.zeros(count * WIDTH, np.float32)

    return Scratch(
        eights(cycle), eights(cycle), eights(links * cycle), eights(links * cycle), eights(links), np.zeros(links, np.float32),
        eights(int(net.window_first[-1])), eights(int(net.window_first[-1])), np.zeros(layers, np.int32),
        eights(slots), eights(slots), eights(1), eights(slots),
        np.zeros(links, np.int32), np.zeros(links, np.int32), np.zeros(1, np.int32),
    )  # fmt: skip
