"""Environments for learning agents, over the same loop, loops and safety as every strategy here.

`LightEnv` is a Gymnasium environment of one light, `StreetEnv` a PettingZoo parallel environment of many. An agent sees
what loops tell (`Observation`) and asks for a stage; the sequencer grants it or not, so no agent can show an unlawful
signal. What it gets is the estimated queue, again from loops alone, or what a function of the state says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from ..core.errors import InputError
from ..core.loop import Junction, run
from ..core.messages import _
from ..core.ports import Refusal, Wish
from ..core.state import TrafficState
from ..networks.netfile import read_lights
from ..networks.scenario import read_scenario
from ..networks.sumo import SumoStreet
from .arms import PLAN, open_arm
from .observation import Observation, Vector
from .spec import RunSpec, scenario_path

Reward = Callable[[TrafficState], float]


def queue_reward(state: TrafficState) -> float:
    """Minus the mean estimated queue of a lane [veh]: 0 where nobody waits."""
    return -float(np.mean(state.queue))


class _Puppet:
    """A controller that asks for what the agent said last."""

    def __init__(self, _site: object) -> None:
        self.wish: Wish = None

    def decide(self, state: TrafficState) -> Wish:
        return self.wish


class _Seconds:
    """A clock that ends after some ticks of another, so that the loop can be run piece by piece."""

    def __init__(self, street: SumoStreet) -> None:
        self.street, self.left, self.over = street, 0, False

    def tick(self) -> bool:
        if self.left == 0:
            return False
        self.left -= 1
        self.over = not self.street.tick()
        return not self.over


class _Game:
    """A simulation that stops every `interval` seconds for its agents."""

    def __init__(self, spec: RunSpec, interval: int) -> None:
        self._folder = TemporaryDirectory(prefix="signalwright-", ignore_cleanup_errors=True)
        self.interval = interval
        try:
            scenario = read_scenario(scenario_path(spec.scenario))
            self._street, self._junctions = open_arm(spec, scenario, Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        self._clock = _Seconds(self._street)
        self.states: dict[str, TrafficState] = {}
        self.refusals: dict[str, Refusal] = {}

    @property
    def over(self) -> bool:
        """Whether the window has passed."""
        return self._clock.over

    def play(self, wishes: Mapping[str, Wish], seconds: int) -> None:
        """Let some seconds pass under these wishes."""
        for junction in self._junctions:
            junction.controller.wish = wishes.get(junction.cabinet.intersection.name)  # type: ignore[attr-defined]
        self._clock.left = seconds
        run(self._clock, self._junctions, self._note)

    def _note(self, junction: Junction, state: TrafficState, _wish: Wish, refusal: Refusal) -> None:
        name = junction.cabinet.intersection.name
        self.states[name], self.refusals[name] = state, refusal

    def close(self) -> None:
        self._street.close()
        self._folder.cleanup()


class _Table:
    """What both environments share: which lights are played, what is seen of them, and the game that is on."""

    def __init__(self, spec: RunSpec, lights: Sequence[str] | None, interval: int, reward: Reward) -> None:
        if interval < 1:
            raise InputError(_("the interval between decisions is {n} s; it must be at least 1").format(n=interval))
        sites = read_lights(read_scenario(scenario_path(spec.scenario)), spec.timing, lights)
        self.sites = {name: light.intersection for name, light in sites.items()}
        self.observations = {name: Observation(site) for name, site in self.sites.items()}
        self.observation_spaces = {
            name: spaces.Box(0.0, 1.0, (seen.size,), np.float32) for name, seen in self.observations.items()
        }
        self.action_spaces = {name: spaces.Discrete(len(site.stages)) for name, site in self.sites.items()}
        puppet = f"{__name__}:{_Puppet.__name__}"
        self._spec = replace(spec, lights={**spec.lights, **dict.fromkeys(self.sites, puppet)}, arm="")
        self._interval, self._reward = interval, reward
        self.game: _Game | None = None

    def begin(self, seed: int) -> dict[str, Vector]:
        self.close()
        self.game = _Game(replace(self._spec, seed=seed), self._interval)
        self.game.play({}, 1)
        return self.seen()

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Vector], dict[str, float], bool, dict[str, dict[str, Any]]]:
        if self.game is None:
            raise InputError(_("the environment was not reset; call reset() before step()"))
        self.game.play({name: int(action) for name, action in actions.items()}, self._interval)
        rewards = {name: float(self._reward(self.game.states[name])) for name in self.sites}
        return self.seen(), rewards, self.game.over, self.told()

    def seen(self) -> dict[str, Vector]:
        assert self.game is not None
        return {name: seen(self.game.states[name]) for name, seen in self.observations.items()}

    def told(self) -> dict[str, dict[str, Any]]:
        assert self.game is not None
        return {
            name: {
                "time": self.game.states[name].time,
                "refusal": self.game.refusals[name].name,
                "view": self._spec.view,
            }
            for name in self.sites
        }

    def close(self) -> None:
        if self.game is not None:
            self.game.close()
            self.game = None


class LightEnv(gymnasium.Env[Vector, Any]):
    """One light as a Gymnasium environment; the others run `others`.

    Actions are rows of stages, asked for every `interval` seconds. An episode is the scenario's window and ends by
    truncation. `view="full"` shows the simulator's own vehicles in the place of what loops tell, and every step says so
    (`info["view"]`). Two environments at once in one process need `transport="traci"`. Raises InputError for a scenario or
    light that is not there.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (declared so by Gymnasium)

    def __init__(
        self,
        scenario: str = "cross",
        light: str | None = None,
        *,
        interval: int = 5,
        others: str = PLAN,
        reward: Reward = queue_reward,
        render_mode: None = None,
        **run: Any,
    ) -> None:
        if light is None:
            light = next(iter(read_lights(read_scenario(scenario_path(scenario)))))
        self._table = _Table(RunSpec(scenario, others, **run), [light], interval, reward)
        self.light, self.render_mode = light, render_mode
        self.scenario, self.site = Path(scenario).stem, self._table.sites[light]
        self.observation_space = self._table.observation_spaces[light]
        self.action_space = self._table.action_spaces[light]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Vector, dict[str, Any]]:
        """A new simulation, its seed drawn from the environment's generator."""
        super().reset(seed=seed, options=options)
        seen = self._table.begin(int(self.np_random.integers(2**31)))
        return seen[self.light], self._table.told()[self.light]

    def step(self, action: Any) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """Ask for a stage and let `interval` seconds pass."""
        seen, rewards, over, told = self._table.step({self.light: action})
        return seen[self.light], rewards[self.light], False, over, told[self.light]

    def close(self) -> None:
        """End the simulation."""
        self._table.close()


class StreetEnv(ParallelEnv):  # type: ignore[misc]
    """Many lights as a PettingZoo parallel environment, an agent for each; `lights` not named run `others`. See
    `LightEnv`."""

    metadata: ClassVar[dict[str, Any]] = {
        "name": "signalwright_street_v0",
        "render_modes": [],
        "is_parallelizable": True,
    }

    def __init__(
        self,
        scenario: str = "corridor",
        lights: Sequence[str] | None = None,
        *,
        interval: int = 5,
        others: str = PLAN,
        reward: Reward = queue_reward,
        render_mode: None = None,
        **run: Any,
    ) -> None:
        self._table = _Table(RunSpec(scenario, others, **run), lights, interval, reward)
        self.possible_agents = list(self._table.sites)
        self.agents: list[str] = []
        self.render_mode = render_mode
        self._random = seeding.np_random(None)[0]

    def observation_space(self, agent: str) -> spaces.Box:
        """Numbers in [0, 1]."""
        return self._table.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete[Any]:
        """Rows of the light's stages."""
        return self._table.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Vector], dict[str, dict[str, Any]]]:
        """A new simulation, its seed drawn from the environment's generator."""
        if seed is not None:
            self._random = seeding.np_random(seed)[0]
        seen = self._table.begin(int(self._random.integers(2**31)))
        self.agents = list(self.possible_agents)
        return seen, self._table.told()

    def step(self, actions: Mapping[str, Any]) -> tuple[Any, ...]:
        """Ask for a stage at each light and let `interval` seconds pass."""
        seen, rewards, over, told = self._table.step(actions)
        names = list(self.agents)
        if over:
            self.agents = []
        return seen, rewards, dict.fromkeys(names, False), dict.fromkeys(names, over), told

    def render(self) -> None:
        """Nothing is drawn; use `gui=True` to watch in SUMO's window."""

    def close(self) -> None:
        """End the simulation."""
        self._table.close()


gymnasium.register("signalwright/Light-v0", entry_point=LightEnv)
