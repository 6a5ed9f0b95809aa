"""`signalwright cabinet ...`: the emulator and the service, put together from the rooms they are made of."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .arguments import Scenario, Timing
from .core.errors import InputError, SignalwrightError
from .core.messages import _

if TYPE_CHECKING:
    from .core.intersection import Intersection
    from .hardware.emulator.cabinet import EmulatedCabinet
    from .hardware.emulator.server import Emulator
    from .hardware.roadside import Roadside
    from .hardware.service import Service

cabinet = typer.Typer(help=_("Signal controllers on a line: emulate one, or run one."), no_args_is_help=True)

Site = Annotated[Path, typer.Argument(help=_("A site file."))]
Sites = Annotated[list[Path], typer.Argument(help=_("Site files with a part [cabinet]."))]
State = Annotated[Path, typer.Option("--state", help=_("Directory for memory, lock and console of the service."))]
_STATE = Path("/var/lib/signalwright")


@cabinet.command()
def emulate(
    site: Site,
    protocol: Annotated[
        Literal["gbt20999", "ab3418", "ntcip1202"], typer.Option(help=_("What it speaks."))
    ] = "gbt20999",
    port: Annotated[
        str,
        typer.Option(help=_("pty:, pty:/path/of/a/link, /dev/ttyUSB0, listen://host:port, udp-listen://host:port.")),
    ] = "pty:",
    address: Annotated[int, typer.Option(help=_("Its station, or controller id."))] = 1,
    bits_per_second: Annotated[int, typer.Option(help=_("Pace answers as a line of this speed would; 0: do not."))] = 0,
    quick: Annotated[bool, typer.Option("--quick", help=_("Start within a second instead of 15."))] = False,
) -> None:
    """Be a cabinet: own lamps, conflict monitor, local plans, panel. Lines on the input are the panel's (`status`, ...)."""
    from .hardware.config import PlanConfig, read_cabinet
    from .hardware.emulator.cabinet import EmulatedCabinet, Timing
    from .hardware.emulator.plans import local_plans
    from .hardware.emulator.server import Emulator, answers_for
    from .hardware.line import Line
    from .hardware.port import PortSettings
    from .networks.sitefile import read_site

    place = read_site(site)
    try:
        rows: tuple[PlanConfig, ...] = read_cabinet(site, place).plans
    except InputError as problem:
        if "has no part [cabinet]" not in str(problem):
            raise
        rows = ()
    timing = Timing(0.5, 0.5) if quick else Timing()
    emulated = EmulatedCabinet(place, local_plans(rows, place), timing=timing)
    settings = PortSettings(port, bits_per_second or 9600, parity="even" if protocol == "gbt20999" else "none")
    line = Line(settings)
    line.open()
    answers = answers_for(protocol, emulated, port.startswith("udp"), address)
    typer.echo(_("{site} speaks {protocol} at {port}").format(site=place.name, protocol=protocol, port=line.name))
    sys.stdout.flush()
    asyncio.run(_emulate(Emulator(emulated, answers, line, bits_per_second, settings.bits_per_character), emulated))


async def _emulate(emulator: Emulator, emulated: EmulatedCabinet) -> None:
    from .hardware.emulator.panel import Panel

    panel, loop = Panel(emulated), asyncio.get_running_loop()

    def press() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
        elif line.strip():
            try:
                answer = panel.do(line)
            except InputError as problem:
                answer = str(problem)
            print(answer, flush=True)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, emulator.stop)
    with contextlib.suppress(OSError, ValueError):  # an input that cannot be waited for (a file, none): no panel then
        loop.add_reader(sys.stdin, press)
    await emulator.run()


@cabinet.command()
def run(
    sites: Sites,
    state: State = _STATE,
    controller: Annotated[
        str, typer.Option("--controller", "-c", help=_("The strategy; `plans`: those of the site file."))
    ] = "adaptive",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Decide and remember, ask for nothing."))] = False,
    check: Annotated[bool, typer.Option("--check", help=_("Check the files and end."))] = False,
) -> None:
    """Run the service of one or several intersections until it is told to stop. It starts in monitor: raise it with `authority`.

    Sites with the same port share its line: their cabinets take turns.
    """
    from .core.estimate import Estimate
    from .hardware.config import Source, cabinet_from, lines_of, read_cabinet
    from .hardware.line import Line
    from .hardware.logfile import LogFile
    from .hardware.roadside import Roadside
    from .hardware.service import Service, ServiceSettings
    from .hardware.store import Store
    from .hardware.trunk import Trunk
    from .networks.sitefile import read_site
    from .roadside_strategy import strategy_of

    sources = [Source.of(path) for path in sites]
    places = [read_site(path) for path in sites]
    configs = [read_cabinet(path, place) for path, place in zip(sites, places, strict=True)]
    lines = lines_of(configs, [place.name for place in places])
    shared = {row for rows in lines for row in rows if len(rows) > 1}
    hosts = [cabinet_from(configs[row], place, row in shared) for row, place in enumerate(places)]
    strategies = [strategy_of(controller, *one) for one in zip(sites, places, configs, strict=True)]
    if check:
        for path, place, config in zip(sites, places, configs, strict=True):
            typer.echo(_("{file} is in order: {site}, authority up to {level}").format(
                file=path, site=place.name, level=config.ceiling.name.lower()))  # fmt: skip
        return
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(f"{state}: cannot be made: {problem.strerror}; name another directory with --state") from None
    store, log = Store(state / "events.db"), LogFile(state / "log")

    def say(text: str) -> None:
        log(text)
        with contextlib.suppress(OSError):  # whoever read our output has gone: the log has it
            print(text, flush=True)

    def service(row: int, place: Intersection) -> Service:
        return Service(
            hosts[row], lambda: Estimate(place), strategies[row][0], store,
            ServiceSettings(configs[row].ceiling, dry_run), sources[row], say=say, plans=strategies[row][1],
        )  # fmt: skip

    services = [service(row, place) for row, place in enumerate(places)]
    for one in services:
        one.warm_up()
    trunks = [
        Trunk(
            Line(configs[rows[0]].port_settings()), [services[row] for row in rows], configs[rows[0]].line.turnaround_s
        )
        for rows in lines
    ]
    asyncio.run(_run(Roadside(trunks, services, store, say=say), state))
    log.close()


async def _run(roadside: Roadside, state: Path) -> None:
    from .hardware.console import Console

    console, loop = Console(roadside, state), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, roadside.stop)
    await console.open()
    try:
        await roadside.run()
    finally:
        await console.close()


Name = Annotated[str, typer.Argument(help=_("Which cabinet, where a service has several."))]


@cabinet.command()
def status(
    name: Name = "",
    state: State = _STATE,
    as_json: Annotated[bool, typer.Option("--json", help=_("Everything, as JSON."))] = False,
) -> None:
    """What a running service sees and does."""
    _ask(state, "status", *["--json"] * as_json, name)


@cabinet.command()
def authority(
    level: Annotated[Literal["monitor", "advise", "plan", "stage"], typer.Argument()],
    name: Name = "",
    state: State = _STATE,
) -> None:
    """Raise or lower what a running service may do; at most what its site file allows."""
    _ask(state, "authority", level, name)


@cabinet.command()
def release(name: Name = "", state: State = _STATE) -> None:
    """Give the cabinet back now, or all of them, and fall to monitor."""
    _ask(state, "release", name)


@cabinet.command()
def export(out: Annotated[Path, typer.Argument(help=_("A .csv or .parquet file."))], state: State = _STATE) -> None:
    """Write the events of a service in the columns ATSPM tools read."""
    from .hardware.store import Store

    if not (state / "events.db").exists():
        raise InputError(f"{state}: no events lie here; name the service's directory with --state")
    store = Store(state / "events.db")
    try:
        typer.echo(_("{count} events are in {file}").format(count=store.export(out), file=out))
    finally:
        store.close()


@cabinet.command()
def upload(
    site: Site,
    plan_file: Annotated[
        Path, typer.Argument(metavar="PLAN", help=_("A plan file, as `signalwright plan` writes it."))
    ],
    plan: Annotated[str, typer.Option("--plan", help=_("Which of its plans, where there are several."))] = "",
    number: Annotated[
        int, typer.Option("--number", help=_("The number it gets in the cabinet."), min=1, max=128)
    ] = 100,
    schedule: Annotated[
        int | None, typer.Option("--schedule", help=_("Put it in force for the days of this schedule of the cabinet."))
    ] = None,
    day_plan: Annotated[
        int | None, typer.Option("--day-plan", help=_("The free day plan to use; else the first one that is free."))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Read, check and tell, but write nothing."))] = False,
) -> None:
    """Store a plan in a cabinet that speaks GB/T 20999, read it back, compare it, and with --schedule put it in force.

    Needs the authority `plan` in the site file. Minimum greens, ambers, conflicts and intergreens are never written.
    """
    from .hardware.cabinets import GbtDriver
    from .hardware.config import cabinet_from, read_cabinet
    from .hardware.line import Line
    from .hardware.upload import Place, converse
    from .hardware.upload import upload as uploading
    from .networks.planfile import site_plan
    from .networks.sitefile import read_site

    place = read_site(site)
    config = read_cabinet(site, place)
    safe = site_plan(plan_file, place, plan)
    host = cabinet_from(config, place)
    if not isinstance(host.driver, GbtDriver):
        raise InputError(_NO_UPLOAD[config.protocol].format(site=site))
    if config.may_store_plans is False:
        message = _('{site}: its authority is {level}; plans may be stored from "plan" on: set cabinet.authority')
        raise InputError(message.format(site=site, level=config.authority))
    line = Line(config.port_settings())
    line.open()
    try:
        script = uploading(host.driver, safe, Place(number, schedule, day_plan), dry_run=dry_run)
        done = converse(script, host.link, line)
    finally:
        line.close()
    said = _("would be written: {rows}") if dry_run else _("written, read back and the same: {rows}")
    typer.echo(said.format(rows=", ".join(done.written)))
    if done.active:
        message = _("in force: schedule {schedule} runs day plan {now}; before it was {before}")
        typer.echo(message.format(schedule=schedule, now=done.day_plan, before=done.before))
    elif not dry_run:
        typer.echo(_("not in force: name the schedule with --schedule, or select plan {number}").format(number=number))


_NO_UPLOAD = {
    "ab3418": _(
        "{site}: AB 3418 has no message for plans but raw memory, which is never written: enter the plan at the controller"
    ),
    "ntcip1202": _(
        "{site}: plans of NTCIP 1202 stand on sequences of phases that this program cannot check: enter the plan at the "
        "controller and select its pattern"
    ),
}


_CABINET = """
[cabinet]
protocol = "{protocol}"
port = "{port}"
authority = "stage"           # the ceiling: monitor, advise, plan, stage; every start is in monitor
{address}
"""
_ADDRESS = {
    "gbt20999": "controller_id = 1\ndead_man_s = 10           # measure it at your controller: what the emulated one has",
    "ab3418": "station = 1",
    "ntcip1202": 'station = 1\nsecrets = "secrets.toml"     # read_community, write_community; chmod 600',
}


@cabinet.command("site")
def site_file(
    scenario: Scenario,
    out: Annotated[Path, typer.Option("--out", "-o", help=_("The file; one that is there already stays."))],
    light: Annotated[str | None, typer.Option("--light", help=_("Which light, where there are several."))] = None,
    timing: Timing = "safe",
    protocol: Annotated[
        Literal["gbt20999", "ab3418", "ntcip1202"], typer.Option(help=_("What its cabinet speaks."))
    ] = "gbt20999",
    port: Annotated[
        str, typer.Option(help=_("Where the service finds it: /dev/ttyUSB0, socket://host:port."))
    ] = "/dev/ttyUSB0",
) -> None:
    """Write the site file of one of a scenario's lights, with a part [cabinet] to complete: for `run` and `emulate`."""
    from .experiments.spec import scenario_path
    from .networks.detectors import place_loops
    from .networks.netfile import read_lights
    from .networks.scenario import read_scenario
    from .networks.sitefile import write_site

    read = read_scenario(scenario_path(scenario))
    lights = read_lights(read, timing, None if light is None else [light])
    if len(lights) != 1:
        message = _("{scenario} has several lights: {names}; choose one with --light")
        raise InputError(message.format(scenario=scenario, names=", ".join(lights)))
    (found,) = place_loops(read, lights).values()
    part = _CABINET.format(protocol=protocol, port=port, address=_ADDRESS[protocol])
    write_site(found.intersection, out, more=part)
    typer.echo(_("{out} describes {light}; complete its part [cabinet]").format(out=out, light=found.name))


@cabinet.command()
def unit() -> None:
    """Print the systemd unit; install it as /etc/systemd/system/signalwright-cabinet@.service."""
    from .hardware.unit import hint_for, systemd_unit, this_program

    program = this_program()
    typer.echo(systemd_unit(program), nl=False)
    if hint := hint_for(program):
        typer.echo(hint, err=True)


def _ask(state: Path, *words: str) -> None:
    from .hardware.console import ask

    answer = ask(state, shlex.join(word for word in words if word))
    if answer.startswith("error: "):
        raise SignalwrightError(answer.removeprefix("error: "))
    typer.echo(answer)
