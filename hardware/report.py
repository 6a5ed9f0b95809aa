"""What a machine is told of a cabinet and its line, as plain data."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..core.aspects import Aspect
from .cabinets import LineCabinet
from .link import Link


def report_cabinet(cabinet: LineCabinet[Any, Any]) -> dict[str, Any]:
    """How it is seen, and what is held of it."""
    picture, site = cabinet.picture, cabinet.site
    shown = None
    if picture.aspects is not None:
        shown = {
            group.name: Aspect(int(aspect)).name.lower()
            for group, aspect in zip(site.groups, picture.aspects, strict=True)
        }
    return {
        "name": cabinet.name,
        "protocol": cabinet.driver.protocol,
        "grip": cabinet.grip.name.lower(),
        "authority": cabinet.authority.name.lower(),
        "mode": picture.mode.value,
        "stage": stage_name(cabinet, picture.stage),
        "held": stage_name(cabinet, cabinet.stage),
        "aspects": shown,
        "plan": picture.plan,
        "identity": picture.identity,
        "fresh": cabinet.is_fresh,
        "seen_s_ago": round(cabinet.now - picture.seen, 2) if isfinite(picture.seen) else None,
        "dead_man_s": picture.dead_man,
        "alarms": sorted(picture.alarms),
        "failed_detectors": [one.name for one, bad in zip(site.detectors, picture.fault, strict=True) if bad],
    }


def in_a_line(cabinet: LineCabinet[Any, Any], trouble: str | None) -> str:
    """For a person."""
    stage = stage_name(cabinet, cabinet.picture.stage)
    where = "no stage seen" if stage is None else f"stage {stage}"
    seen = f"{cabinet.picture.mode.value}, {where}"
    if not cabinet.is_fresh:
        since = cabinet.now - cabinet.picture.seen
        seen = f"not seen for {since:.0f} s" if isfinite(since) else "never seen"
    return (
        f"{cabinet.name}: {cabinet.grip.name.lower()}, {seen}, "
        f"authority {cabinet.authority.name.lower()}{f'; {trouble}' if trouble else ''}"
    )


def stage_name(cabinet: LineCabinet[Any, Any], row: int | None) -> str | None:
    """Its name, its number where the site has no such stage, None for no stage."""
    if row is None or row < 0:
        return None
    return cabinet.site.stages[row].name if row < len(cabinet.site.stages) else str(row)


def report_line(link: Link[Any, Any]) -> dict[str, Any]:
    """Counters since the start, and how long answers take beyond the wire."""
    exchanges, statistics = link.exchanges, link.dialect.statistics
    return {
        "lost": link.lost,
        "asked": exchanges.asked,
        "answered": exchanges.answered,
        "repeated": exchanges.repeated,
        "failed": exchanges.failed,
        "late": exchanges.late,
        "error_rate": statistics.error_rate,
        "bad_checks": statistics.bad_check,
        "malformed": statistics.malformed,
        "garbage_bytes": statistics.garbage,
        "bytes": statistics.octets,
        "answer_time_s": link.patience.mean,
    }
