"""The cabinet's part of a site file: checked with file, line and key before anything is opened; safe defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from line_bench import crossing
from signalwright.core.errors import InputError, ProtocolError
from signalwright.experiments.spec import scenario_path
from signalwright.hardware.cabinets import Ab3418Driver, Authority, GbtDriver, NtcipDriver
from signalwright.hardware.config import CabinetConfig, cabinet_from, lines_of, read_cabinet
from signalwright.hardware.gbt20999 import RunMode
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario

GOOD = """
[site]
name = "elm"

[cabinet]
protocol = "gbt20999"
port = "/dev/ttyUSB0"
authority = "stage"
controller_id = 7
dead_man_s = 9.0

[cabinet.line]
bits_per_second = 19200

[cabinet.numbers]
stages = { A = 5, B = 6, C = 7, D = 8 }

[cabinet.numbers.detectors]
"loop 1" = 17
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "elm.toml"
    path.write_text(text)
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """Everything in it reaches port, link and driver; what is not said has the safe default."""
    config = read_cabinet(written(tmp_path, GOOD), crossing())
    assert config.ceiling is Authority.STAGE
    port = config.port_settings()
    assert (port.bits_per_second, port.parity, port.bits_per_character) == (19200, "even", 11)
    assert config.link_settings().bits_per_second == 19200
    cabinet = cabinet_from(config, crossing())
    assert cabinet.authority is Authority.MONITOR
    assert cabinet.habits.refresh <= 3.0
    driver = cabinet.driver
    assert isinstance(driver, GbtDriver)
    assert tuple(driver.stages) == (5, 6, 7, 8)
    assert tuple(driver.detectors) == (1, 17, 3, 4)
    assert driver.release_mode is RunMode.LOCAL_FIXED


def test_without_a_measured_dead_man_stages_are_out_of_reach(tmp_path: Path) -> None:
    """GB/T 20999 says nothing of a host that falls silent: until somebody has measured it, plans are the most."""
    config = read_cabinet(written(tmp_path, GOOD.replace("dead_man_s = 9.0", "")), crossing())
    assert config.ceiling is Authority.PLAN


def test_ab3418_ends_at_plans(tmp_path: Path) -> None:
    """Whatever the file says, AB 3418 cannot move stages."""
    text = '[cabinet]\nprotocol = "ab3418"\nport = "/dev/ttyS0"\nauthority = "stage"\nstation = 3\n'
    config = read_cabinet(written(tmp_path, text), crossing())
    assert config.ceiling is Authority.PLAN
    assert config.port_settings().parity == "none"
    assert isinstance(cabinet_from(config, crossing()).driver, Ab3418Driver)


def test_ab3418_tells_eight_phases_of_a_larger_site(tmp_path: Path) -> None:
    """Groups beyond the eighth have no phase; the others keep theirs. More than eight asked for by number is refused."""
    site = crossing()
    text = '[cabinet]\nprotocol = "ab3418"\nport = "/dev/ttyS0"\n[cabinet.numbers.groups]\neast-west = 9\n'
    with pytest.raises(ProtocolError, match="reports phases 1 to 8"):
        cabinet_from(read_cabinet(written(tmp_path, text), site), site)
    (light,) = read_lights(read_scenario(scenario_path("cross")), "safe").values()
    large = light.intersection
    driver = cabinet_from(read_cabinet(written(tmp_path, text.partition("[cabinet.numbers")[0]), large), large).driver
    assert isinstance(driver, Ab3418Driver)
    assert list(driver.phases) == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0]


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ('protocol = "gbt20999"', 'protocol = "morse"', r"elm\.toml, line 6: cabinet\.protocol: .*'morse'"),
        ('port = "/dev/ttyUSB0"', "", r"elm\.toml, line 5: cabinet\.port: is missing; add it"),
        ("controller_id = 7", "", r"line 5: cabinet\.controller_id: is missing"),
        ("dead_man_s = 9.0", "dead_man = 9.0", r"line 10: cabinet\.dead_man: is no key of a cabinet; take it out"),
        ("bits_per_second = 19200", "bits_per_second = 3", r"line 13: cabinet\.line\.bits_per_second: .*\(it says 3\)"),
        ("A = 5", "Z = 5", r"line 16: cabinet\.numbers\.stages.*: the site has no such name; it has A, B, C, D"),
        ("B = 6", "B = 5", r"line 16: cabinet\.numbers\.stages: two of them have the number 5"),
        ('"loop 1" = 17', '"loop 9" = 17', r"line 19: cabinet\.numbers\.detectors\.loop 9: the site has no such name"),
        ("dead_man_s = 9.0", "intergreen_unit_s = 0.5", r"line 10: cabinet\.intergreen_unit_s: .*0\.1 or 1\.0"),
        (
            'port = "/dev/ttyUSB0"',
            'port = "udp://elm"',
            r"line 7: cabinet\.port: udp://elm is no address of a port: write it",
        ),
        (
            "dead_man_s = 9.0",
            'plans = [{ number = 1, stages = ["A", "E"], greens_s = [9, 9] }]',
            r"line 10: cabinet\.plans\.0\.stages: the site has no stage E; it has A, B, C, D",
        ),
        (
            "dead_man_s = 9.0",
            'plans = [{ number = 1, stages = ["A", "B"], greens_s = [9] }]',
            r"line 10: cabinet\.plans\.0\.greens_s: 2 stages but 1 greens; give one for each",
        ),
        ("[cabinet]", "[cupboard]", r"elm\.toml: .*"),
        ("[site]", "[site", r"is not TOML"),
    ],
)
def test_each_mistake_is_named_with_file_line_and_key(tmp_path: Path, change: str, to: str, message: str) -> None:
    """One message: where, which key, what is wrong, what to do."""
    with pytest.raises(InputError, match=message):
        read_cabinet(written(tmp_path, GOOD.replace(change, to)), crossing())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Named, with the reason."""
    with pytest.raises(InputError, match=r"no\.toml: cannot be read"):
        read_cabinet(tmp_path / "no.toml", crossing())


NTCIP = '[cabinet]\nprotocol = "ntcip1202"\nport = "udp://192.0.2.7:161"\nauthority = "stage"\nsecrets = "{}"\n'


def secrets(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "secrets.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_communities_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    """Secrets stand outside the site file, readable for nobody else."""
    path = secrets(tmp_path, 'read_community = "r-elm"\nwrite_community = "w-elm"\n')
    config = read_cabinet(written(tmp_path, NTCIP.format(path)), crossing())
    driver = cabinet_from(config, crossing()).driver
    assert isinstance(driver, NtcipDriver)
    assert (driver.read_community, driver.write_community, driver.station) == (b"r-elm", b"w-elm", None)
    assert config.link_settings().bits_per_second == 0


def read_community(config: CabinetConfig) -> bytes:
    driver = cabinet_from(config, crossing()).driver
    assert isinstance(driver, NtcipDriver)
    return driver.read_community


def test_a_credential_of_systemd_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are looked for beside the site file; a unit's credential of the same name is read in their stead."""
    secrets(tmp_path, 'read_community = "r-elm"\nwrite_community = "w-elm"\n')
    config = read_cabinet(written(tmp_path, NTCIP.format("secrets.toml")), crossing())
    assert read_community(config) == b"r-elm"
    (tmp_path / "handed").mkdir()
    secrets(tmp_path / "handed", 'read_community = "r-oak"\nwrite_community = "w-oak"\n', 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "handed"))
    assert read_community(config) == b"r-oak"


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ('read_community = "r"\nwrite_community = "private"\n', 0o600, "which everybody knows"),
        ('read_community = "r"\n', 0o600, "write_community is missing"),
        ('read_community = "r"\nwrite_community = "w"\n', 0o644, "others may read this file; chmod 600 it"),
        ("read_community", 0o600, "is not TOML"),
    ],
)
def test_bad_secrets_are_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    """Communities that everybody knows, that are missing, or lie open are not used."""
    config = read_cabinet(written(tmp_path, NTCIP.format(secrets(tmp_path, text, mode))), crossing())
    with pytest.raises(InputError, match=message):
        cabinet_from(config, crossing())


def test_ntcip_needs_secrets(tmp_path: Path) -> None:
    """No default communities."""
    with pytest.raises(InputError, match=r"cabinet\.secrets: is missing"):
        read_cabinet(written(tmp_path, NTCIP.format("").replace('secrets = ""\n', "")), crossing())


def configs(tmp_path: Path, *changes: tuple[str, str]) -> list[CabinetConfig]:
    """The good file, and one for each change."""
    texts = [GOOD, *(GOOD.replace(old, new) for old, new in changes)]
    return [read_cabinet(written(tmp_path, text), crossing()) for text in texts]


def test_sites_on_one_port_share_their_line(tmp_path: Path) -> None:
    """Same port, other id: one line for both; another port: a line of its own. Nobody is waited for long on a shared one."""
    near, far, away = configs(tmp_path, ("controller_id = 7", "controller_id = 8"), ("ttyUSB0", "ttyUSB1"))
    assert lines_of([near, far, away], ["elm", "oak", "ash"]) == [[0, 1], [2]]
    assert near.link_settings().longest == 5.0
    assert near.link_settings(shared=True).longest == near.link_settings().first == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dead_man_s = 9.0", "dead_man_s = 8.0"), "two sites on this line have the same address: elm, oak"),
        (("bits_per_second = 19200", "bits_per_second = 9600"), "the sites on this line set it differently: elm, oak"),
        (('protocol = "gbt20999"', 'protocol = "ab3418"'), "set it differently"),
    ],
)
def test_sites_that_cannot_share_a_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """What keeps two sites from one line is said with the port and both names."""
    with pytest.raises(InputError, match=f"/dev/ttyUSB0: .*{message}"):
        lines_of(configs(tmp_path, change), ["elm", "oak"])


def test_a_name_is_served_once(tmp_path: Path) -> None:
    """Two site files with one name are refused: authority is given by name."""
    with pytest.raises(InputError, match="two sites have the name elm"):
        lines_of(configs(tmp_path, ("ttyUSB0", "ttyUSB1")), ["elm", "elm"])
