"""What to run: one run, or a batch of them read from a TOML file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..core.errors import InputError
from ..core.messages import _
from ..networks import shipped
from ..networks.shipped import EXAMPLES, SHIPPED

Timing = Literal["safe", "resco"]
Transport = Literal["libsumo", "traci"]
Stages = Literal["program", "all"]
Loops = Literal["placed", "own"]
View = Literal["loops", "full"]
Start = Literal["red", "plan"]
Protocol = Literal["", "gbt20999", "ab3418", "ntcip1202"]


@dataclass(frozen=True)
class RunSpec:
    """One run: a scenario under a strategy, with one seed.

    scenario    a .sumocfg, a .net.xml, or the name of a shipped scenario
    controller  the strategy of every light: a name of `controllers.CONTROLLERS`, a native arm, or `module:Class`
    lights      strategies of single lights, {light: name}, where they differ from `controller`
    arm         what the strategy is called in tables, by default `controller`
    begin, end  window [s], by default the scenario's own
    scale       factor on the demand
    jitter      every departure is put off by up to this long [s], drawn by the seed, alike in every arm
    stages      "program": the green sets of the light's programs; "all": every maximal set of compatible groups
    loops       "placed" by rule, or the scenario's "own"
    failing     share of the loops that fail from the start, in [0, 1], drawn by the seed, alike in every arm
    blind       a light whose loops are all dead
    view        what the strategies see: "loops", or "full", the simulator's own vehicles, for comparison and learning
    start       what lamps show when the window begins: "red", as after switching on; "plan": what the cabinet's own plan has
                come to by then, as with cabinets in the loop
    tables      also keep the time lost on every lane and by every movement, for maps and tables by light
    options     further SUMO options, {name: value}
    protocol    over which emulated cabinets are controlled; empty: the lights are controlled in process
    bits_per_second  of the lines to those cabinets; 0: bytes take no time
    real_time   no faster than the clock on the wall
    """

    scenario: str
    controller: str
    seed: int = 1
    timing: Timing = "safe"
    lights: Mapping[str, str] = field(default_factory=dict)
    arm: str = ""
    begin: float | None = None
    end: float | None = None
    scale: float = 1.0
    jitter: float = 0.0
    stages: Stages = "program"
    loops: Loops = "placed"
    failing: float = 0.0
    blind: str = ""
    view: View = "loops"
    start: Start = "red"
    tables: bool = False
    transport: Transport = "libsumo"
    gui: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    protocol: Protocol = ""
    bits_per_second: int = 0
    real_time: bool = False

    def __post_init__(self) -> None:
        if not self.arm:
            several = ", ".join(f"{light}: {name}" for light, name in sorted(self.lights.items()))
            name = f"{self.controller} ({several})" if several else self.controller
            seen = _(", full view") if self.view == "full" else ""
            failed = _(", {share:.0%} of loops failing").format(share=self.failing) if self.failing else ""
            failed += _(", {light} blind").format(light=self.blind) if self.blind else ""
            line = f" over {self.protocol}" if self.protocol else ""
            object.__setattr__(self, "arm", name + seen + failed + line)
        for name, choices in (
            ("timing", get_args(Timing)),
            ("transport", get_args(Transport)),
            ("stages", get_args(Stages)),
            ("loops", get_args(Loops)),
            ("view", get_args(View)),
            ("start", get_args(Start)),
            ("protocol", get_args(Protocol)),
        ):
            if (value := getattr(self, name)) not in choices:
                raise InputError(unknown(_("{name} {value!r}").format(name=name, value=value), value, choices))
        if self.scale <= 0 or self.jitter < 0:
            raise InputError(
                _("scale must be above 0 and jitter not below it; they are {0:g} and {1:g}").format(
                    self.scale, self.jitter
                )
            )
        if not 0 <= self.failing <= 1:
            raise InputError(_("the share of failing loops must lie between 0 and 1; it is {0:g}").format(self.failing))
        if (self.failing or self.blind) and self.view == "full":
            raise InputError(
                _("with the full view no loop is read, so none can fail; leave out --view or the failures")
            )
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise InputError(_("the window ends at {0:g} s, before it begins at {1:g} s").format(self.end, self.begin))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, from which `RunSpec(**values)` makes it again."""
        return asdict(self)


def scenario_path(name: str) -> Path:
    """The file of a scenario given by path, or by the name of a shipped one. Raises InputError."""
    path = Path(name).expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.sumocfg"))
        if len(found) == 1:
            return found[0]
        raise InputError(_("{path} holds {n} .sumocfg files; name one of them").format(path=path, n=len(found)))
    if path.exists():
        return path
    known = [*SHIPPED, *EXAMPLES]
    if name in known:
        return shipped.scenario_path(name)
    raise InputError(unknown(_("scenario {name} (there is no such file)").format(name=name), name, known))


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """A message for a name that is none of `known`, with the nearest of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return _("{what} is not known; did you mean {near!r}?").format(what=what, near=near[0])
    return _("{what} is not known; there are {known}").format(what=what, known=", ".join(known) or _("none"))


def _to_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _to_seeds(value: object) -> object:
    return list(range(1, value + 1)) if isinstance(value, int) and not isinstance(value, bool) else value


def _all_different(values: list[Any]) -> list[Any]:
    if len(set(map(str, values))) < len(values):
        raise ValueError(_("the same value stands there twice"))
    return values


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArmSpec(_Strict):
    """An arm that is more than one name: other strategies at some lights, the full view, or loops that fail."""

    controller: str
    lights: dict[str, str] = {}
    view: View = "loops"
    failing: Annotated[float, Field(ge=0, le=1)] = 0.0
    blind: str = ""


class ScenarioSpec(_Strict):
    """A scenario with its own window."""

    path: str
    begin: float | None = None
    end: float | None = None


_SOME = (BeforeValidator(_to_list), Field(min_length=1), AfterValidator(_all_different))


class BatchSpec(_Strict):
    """A batch: every scenario x arm x scale x timing x seed. Keys of the TOML file are these names.

    `seeds` is a number (20 means 1 to 20) or a list; `scenarios`, `controllers`, `scales`, `timing` one value or a
    list; `arms` adds named mixtures of strategies; `baseline` is the arm all others are compared with; `timeout` [s]
    and `memory_mib` bound a run.
    """

    scenarios: Annotated[list[str | ScenarioSpec], *_SOME]
    controllers: Annotated[list[str], BeforeValidator(_to_list), AfterValidator(_all_different)] = []
    arms: dict[str, ArmSpec] = {}
    baseline: str | None = None
    seeds: Annotated[list[int], *_SOME, BeforeValidator(_to_seeds)] = [1, 2, 3, 4, 5]
    scales: Annotated[list[Annotated[float, Field(gt=0)]], *_SOME] = [1.0]
    timing: Annotated[list[Timing], *_SOME] = ["safe"]
    jitter: Annotated[float, Field(ge=0)] = 0.0
    begin: float | None = None
    end: float | None = None
    tables: bool = True
    timeout: Annotated[float, Field(gt=0)] | None = None
    memory_mib: Annotated[float, Field(gt=0)] | None = None
    options: dict[str, str] = {}

    def model_post_init(self, _context: object) -> None:
        """Refuse a batch without arms or with a baseline that is none of them."""
        if not self.arm_names:
            raise ValueError(_("name at least one strategy in 'controllers' or 'arms'"))
        if both := set(self.controllers) & set(self.arms):
            raise ValueError(
                _("arm {name!r} is in 'controllers' and in 'arms'; give it another name").format(name=min(both))
            )
        if self.baseline is not None and self.baseline not in self.arm_names:
            raise ValueError(unknown(_("baseline {name!r}").format(name=self.baseline), self.baseline, self.arm_names))

    @property
    def arm_names(self) -> list[str]:
        """All arms, in the order given."""
        return [*self.controllers, *self.arms]

    @property
    def base(self) -> str:
        """The arm all others are compared with: the one named, else the net's own plan, else the first."""
        return self.baseline or ("plan" if "plan" in self.arm_names else self.arm_names[0])

    def runs(self) -> list[RunSpec]:
        """Every run, seed by seed, so that an unfinished batch has whole pairs."""
        arms = {name: ArmSpec(controller=name) for name in self.controllers} | self.arms
        places = [ScenarioSpec(path=place) if isinstance(place, str) else place for place in self.scenarios]
        return [
            RunSpec(
                scenario=place.path,
                controller=arm.controller,
                lights=arm.lights,
                arm=name,
                seed=seed,
                timing=timing,
                begin=self.begin if place.begin is None else place.begin,
                end=self.end if place.end is None else place.end,
                scale=scale,
                jitter=self.jitter,
                view=arm.view,
                failing=arm.failing,
                blind=arm.blind,
                tables=self.tables,
                options=self.options,
            )
            for seed, place, scale, timing, (name, arm) in product(
                self.seeds, places, self.scales, self.timing, arms.items()
            )
        ]


def batch(source: str, values: Mapping[str, Any]) -> BatchSpec:
    """A batch from plain values; raises InputError with every fault found, each naming `source` and the key."""
    try:
        return BatchSpec.model_validate(dict(values))
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {fault}" for fault in _faults(error))) from None
    except ValueError as error:
        raise InputError(f"{source}: {error}") from None


def _faults(error: ValidationError) -> list[str]:
    """What is wrong, a line each; a key that is missing because it is misspelt is told once."""
    found: list[dict[str, Any]] = [dict(fault) for fault in error.errors()]
    strange = {fault["loc"]: _nearest(fault["loc"]) for fault in found if fault["type"] == "extra_forbidden"}
    meant = {(*place[:-1], near) for place, near in strange.items()}
    return [_fault(fault) for fault in found if not (fault["type"] == "missing" and fault["loc"] in meant)]


def _fault(fault: Mapping[str, Any]) -> str:
    place, kind, given = ".".join(str(part) for part in fault["loc"]), fault["type"], fault.get("input")
    if kind == "extra_forbidden":
        return unknown(_("key {place!r}").format(place=place), str(fault["loc"][-1]), _keys(fault["loc"]))
    if kind == "literal_error":
        text = unknown(repr(given), str(given), re.findall(r"'(\w+)'", fault["ctx"]["expected"]))
    elif kind in ("float_parsing", "int_parsing", "float_type", "int_type", "int_from_float"):
        text = _("{given!r} is no {number}").format(
            given=given, number=_("whole number") if kind.startswith("int") else _("number")
        )
    elif kind == "too_short":
        text = _("give at least one")
    elif kind == "missing":
        text = _("must be given")
    else:
        text = str(fault["ctx"]["error"]) if kind == "value_error" else str(fault["msg"])
    return f"{place}: {text}" if place else text


def _keys(place: Sequence[int | str]) -> list[str]:
    """The keys there are at a place of a batch file."""
    inner: dict[str, type[BaseModel]] = {"arms": ArmSpec, "scenarios": ScenarioSpec} if len(place) > 1 else {}
    return sorted(inner.get(str(place[0]), BatchSpec).model_fields)


def _nearest(place: Sequence[int | str]) -> str:
    return next(iter(difflib.get_close_matches(str(place[-1]), _keys(place), n=1, cutoff=0.5)), "")


def lacking(old: BatchSpec, new: BatchSpec) -> str:
    """What of an older batch a newer one has not, in words; empty where the newer has all its runs."""
    if _runs(old) <= _runs(new):
        return ""
    lost = []
    for name in ("scenarios", "controllers", "arms", "seeds", "scales", "timing"):
        was, now = getattr(old, name), getattr(new, name)
        if isinstance(was, dict):
            gone = [key for key, value in was.items() if now.get(key) != value]
        else:
            gone = [_short(value) for value in was if value not in now]
        if gone:
            lost.append(f"{name} {', '.join(gone)}")
    for name in ("jitter", "begin", "end", "tables", "options"):
        if (before := getattr(old, name)) != getattr(new, name):
            lost.append(f"{name} {before}")
    return "; ".join(lost) or _("other files")


def _runs(spec: BatchSpec) -> set[str]:
    """What tells the runs of a batch, wherever it is called from."""
    return {repr(replace(run, scenario=_absolute(run.scenario))) for run in spec.runs()}


def _absolute(scenario: str) -> str:
    path = Path(scenario).expanduser()
    return str(path.resolve()) if path.exists() else scenario


def _short(value: object) -> str:
    if not isinstance(value, ScenarioSpec):
        return str(value)
    window = [f"{name} {time:g}" for name, time in (("begin", value.begin), ("end", value.end)) if time is not None]
    return f"{value.path} ({', '.join(window)})" if window else value.path


def read_batch(path: Path) -> BatchSpec:
    """The batch in a TOML file; scenario paths in it are relative to the file. Raises InputError naming file and
    key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(_("{path}: cannot be read: {why}").format(path=path, why=error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(_("{path}: is not TOML: {why}").format(path=path, why=error)) from error
    spec = batch(str(path), values)
    return spec.model_copy(update={"scenarios": [_beside(path.parent, place) for place in spec.scenarios]})


def _beside(folder: Path, place: str | ScenarioSpec) -> str | ScenarioSpec:
    if isinstance(place, ScenarioSpec):
        return place.model_copy(update={"path": str(_beside(folder, place.path))})
    near = folder / Path(place).expanduser()
    return str(near) if near.exists() else place
