"""net-snmp, which nobody here wrote, as the other end of NTCIP: its agent for our client, its tools for our agent.

Needs the Debian packages `snmp` and `snmpd`; where they are not installed these tests are not collected.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalwright.hardware.exchange import Answered, LinkSettings
from signalwright.hardware.link import Link
from signalwright.hardware.ntcip import ASC, Oid, PduType, SnmpError, SnmpMessage, VarBind
from signalwright.hardware.ntcip.control import PhaseControl, ask_pattern, control_oids
from signalwright.hardware.ntcip.dialect import NtcipDialect, Request, put, query
from signalwright.hardware.ntcip.status import PhaseStatus, PhaseTiming, UnitStatus
from signalwright.hardware.pattern import Pattern

SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin:/bin")
TOOLS = shutil.which("snmpget")


def dotted(oid: Oid) -> str:
    return "." + ".".join(map(str, oid))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CONTROLLER = {
    **dict.fromkeys(PhaseStatus.ask(1), 0),
    ASC.table["greens"].at(1): 0x22,
    ASC.table["reds"].at(1): 0xDD,
    **dict(zip(PhaseTiming.ask(2), (7, 35, 15, 40, 5, 12), strict=True)),
    **dict(zip(UnitStatus.ask(), (2, 2, 0, 3, 30), strict=True)),
    **dict.fromkeys(control_oids(1), 0),
    ASC.scalar["pattern_control"].oid: 0,
}
WRITABLE = {*control_oids(1), ASC.scalar["pattern_control"].oid}


if SNMPD is not None:

    @pytest.fixture(scope="module")
    def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
        """A net-snmp agent that holds the objects of a controller; its UDP port."""
        folder: Path = tmp_path_factory.mktemp("snmpd")
        port = free_port()
        lines = ["rocommunity public 127.0.0.1", "rwcommunity private 127.0.0.1"]
        for oid, value in CONTROLLER.items():
            lines.append(f"override {'-rw ' if oid in WRITABLE else ''}{dotted(oid)} integer {value}")
        (folder / "state").mkdir()
        (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
        assert SNMPD is not None
        with subprocess.Popen(
            [SNMPD, "-f", "-Lf", str(folder / "log"), "-C", "-c", str(folder / "snmpd.conf"), "-I", "-smux,-mteTrigger",
             "-p", str(folder / "pid"), f"udp:127.0.0.1:{port}"],
            env={"SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": ""},
        ) as process:  # fmt: skip
            try:
                for _ in range(100):
                    if "NET-SNMP version" in (folder / "log").read_text() if (folder / "log").exists() else False:
                        break
                    time.sleep(0.05)
                yield port
            finally:
                process.terminate()

    def exchange(port: int, request: Request, read: bytes = b"public", write: bytes = b"private") -> SnmpMessage:
        """One question through our link to the agent."""
        link = Link("agent", NtcipDialect(read, write), LinkSettings(bits_per_second=0, heartbeat=1e9))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.connect(("127.0.0.1", port))
            line.settimeout(0.05)
            link.request(request, time.monotonic())
            while True:
                if data := link.outgoing():
                    line.send(data)
                try:
                    data = line.recv(4096)
                except TimeoutError:
                    data = b""
                now = time.monotonic()
                for event in [*link.receive(data, now), *link.tick(now)]:
                    assert isinstance(event, Answered), event
                    return event.frames[0]

    def test_our_client_reads_a_foreign_agent(agent: int) -> None:
        """Status, unit and timing come out of net-snmp's answers as they went into its configuration."""
        answer = exchange(agent, query(*PhaseStatus.ask(1)))
        assert PhaseStatus.read(answer.pdu.variables, 1).greens == {2, 6}
        unit = UnitStatus.read(exchange(agent, query(*UnitStatus.ask())).pdu.variables)
        assert (unit.pattern, unit.backup_time) == (Pattern.plan(3), 30)
        timing = PhaseTiming.read(exchange(agent, query(*PhaseTiming.ask(2))).pdu.variables, 2)
        assert timing == PhaseTiming(7.0, 3.5, 1.5, 40.0, 5.0, 12.0)

    def test_our_client_writes_a_foreign_agent(agent: int) -> None:
        """A whole request goes in as one set, and net-snmp's own tool reads it back."""
        control = PhaseControl(hold=frozenset({2, 6}), vehicle_call=frozenset({4}))
        answer = exchange(agent, put(*control.variables(1), ask_pattern(Pattern.plan(5))))
        assert answer.pdu.error is SnmpError.NO_ERROR
        again = exchange(agent, query(*control_oids(1), ASC.scalar["pattern_control"].oid))
        assert [variable.value for variable in again.pdu.variables] == [0x22, 0, 0, 0, 8, 0, 5]
        if TOOLS is not None:
            assert tool("snmpget", agent, "public", dotted(ASC.table["hold"].at(1))).split()[-1] == "34"
        exchange(agent, put(*PhaseControl().variables(1), ask_pattern(Pattern.plan(3))))

    def test_a_foreign_agent_refuses_and_we_read_why(agent: int) -> None:
        """Writing with the reading community, and asking for what is not there, come back as noSuchName."""
        refused = exchange(agent, put(ASC.table["hold"].put(1, 1)), write=b"public")
        assert refused.pdu.error is SnmpError.NO_SUCH_NAME
        assert refused.pdu.error_index == 1
        nothing = exchange(agent, query(ASC.scalar["max_detectors"].oid))
        assert nothing.pdu.error is SnmpError.NO_SUCH_NAME


if TOOLS is not None:

    def tool(name: str, port: int, community: str, *arguments: str) -> str:
        """What a net-snmp tool writes: its answer, or why there is none."""
        done = subprocess.run(
            [name, "-v1", "-c", community, "-On", "-m", "", "-r", "1", "-t", "2", f"127.0.0.1:{port}", *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stderr if done.returncode else done.stdout

    class Agent:
        """A small agent on our codec: numbers by name, and the raw questions it was asked."""

        def __init__(self) -> None:
            self.values: dict[Oid, int] = dict(CONTROLLER)
            self.asked: list[bytes] = []
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 0))
            self.port = int(self.socket.getsockname()[1])
            self.thread = threading.Thread(target=self.serve)
            self.thread.start()

        def serve(self) -> None:
            while True:
                data, peer = self.socket.recvfrom(4096)
                if not data:
                    return
                self.asked.append(data)
                self.socket.sendto(self.answer(SnmpMessage.from_bytes(data)).to_bytes(), peer)

        def answer(self, question: SnmpMessage) -> SnmpMessage:
            variables = question.pdu.variables
            for index, variable in enumerate(variables, 1):
                if variable.oid not in self.values:
                    return question.answer(variables, SnmpError.NO_SUCH_NAME, index)
            if question.pdu.type is PduType.SET:
                self.values.update({one.oid: one.value for one in variables if isinstance(one.value, int)})
                return question.answer(variables)
            return question.answer(VarBind(one.oid, self.values[one.oid]) for one in variables)

        def close(self) -> None:
            self.socket.sendto(b"", ("127.0.0.1", self.port))
            self.thread.join()
            self.socket.close()

    @pytest.fixture
    def ours() -> Iterator[Agent]:
        """Our agent, running."""
        agent = Agent()
        try:
            yield agent
        finally:
            agent.close()

    def test_foreign_tools_read_and_write_our_agent(ours: Agent) -> None:
        """snmpget and snmpset understand our answers, several variables at once, and our errors."""
        greens, reds, hold = (dotted(ASC.table[name].at(1)) for name in ("greens", "reds", "hold"))
        assert [line.split()[-1] for line in tool("snmpget", ours.port, "public", greens, reds).splitlines()] == [
            "34",
            "221",
        ]
        assert tool("snmpset", ours.port, "private", hold, "i", "255", greens, "i", "0").count("INTEGER") == 2
        assert ours.values[ASC.table["hold"].at(1)] == 255
        assert "noSuchName" in tool("snmpget", ours.port, "public", dotted(ASC.scalar["max_detectors"].oid))

    def test_our_bytes_are_those_of_the_foreign_tools(ours: Agent) -> None:
        """What snmpget and snmpset send is, bit for bit, what we write for the same question."""
        tool("snmpget", ours.port, "public", *(dotted(oid) for oid in PhaseStatus.ask(1)))
        tool("snmpset", ours.port, "private", dotted(ASC.table["hold"].at(1)), "i", "34")
        assert len(ours.asked) == 2
        for wire in ours.asked:
            assert SnmpMessage.from_bytes(wire).to_bytes() == wire
