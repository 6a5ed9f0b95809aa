"""SNMPv1 as the link speaks it: in PMPP frames on a serial line, or one message a datagram."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ...core.errors import ProtocolError
from ..exchange import Verdict
from ..frames.hdlc import Address, Control, HdlcFrame, HdlcFramer, Protocol
from ..frames.statistics import LineStatistics
from . import ber
from .asc import ASC
from .ber import Oid, Tag
from .snmp import PduType, SnmpMessage, VarBind, write_variables


@dataclass(frozen=True)
class Request:
    """A get or set of several variables at once. Its bytes are worked out once."""

    type: PduType
    variables: tuple[VarBind, ...]

    @cached_property
    def tail(self) -> bytes:
        """No error, no index, the variables: all of the question behind its number."""
        return ber.wrap(Tag.INTEGER, b"\0") * 2 + write_variables(self.variables)

    @cached_property
    def oids(self) -> tuple[Oid, ...]:
        """The variables' names, in order."""
        return tuple(variable.oid for variable in self.variables)


def query(*oids: Oid) -> Request:
    """Ask for variables."""
    return Request(PduType.GET, tuple(VarBind(oid) for oid in oids))


def put(*variables: VarBind) -> Request:
    """Set variables, all or none."""
    return Request(PduType.SET, variables)


@dataclass(slots=True)
class NtcipDialect:
    """One controller. `station` is its PMPP address; None means datagrams. Communities come from the site file."""

    read_community: bytes
    write_community: bytes
    station: int | None = None
    numbered: bool = True
    statistics: LineStatistics = field(init=False)
    _framer: HdlcFramer = field(default_factory=HdlcFramer)
    _address: Address | None = field(init=False)
    _answered: tuple[Request, tuple[VarBind, ...]] | None = None

    def __post_init__(self) -> None:
        self.statistics = self._framer.statistics
        self._address = None if self.station is None else Address(self.station)

    def encode(self, request: Request, number: int) -> bytes:
        """The bytes on the wire."""
        community = self.write_community if request.type is PduType.SET else self.read_community
        pdu = ber.wrap(request.type, ber.wrap(Tag.INTEGER, ber.write_integer(number)) + request.tail)
        version = ber.wrap(Tag.INTEGER, b"\0")
        body = ber.wrap(Tag.SEQUENCE, version + ber.wrap(Tag.OCTETS, community) + pdu)
        if self._address is None:
            return body
        return HdlcFrame(self._address, Control.INFORMATION, Protocol.SNMP, body).to_bytes()

    def feed(self, data: bytes) -> list[SnmpMessage]:
        """Messages of our station completed by `data`; broken ones are counted, not raised."""
        messages = []
        for body in self._bodies(data):
            try:
                messages.append(SnmpMessage.from_bytes(body))
            except ProtocolError:
                self.statistics.good -= 1
                self.statistics.malformed += 1
        return messages

    def _bodies(self, data: bytes) -> list[bytes]:
        ours = self._address
        if ours is None:
            self.statistics.octets += len(data)
            self.statistics.good += bool(data)
            return [data] if data else []
        frames = self._framer.feed(data)
        return [frame.body for frame in frames if frame.address == ours and frame.protocol is Protocol.SNMP]

    def judge(self, request: Request, number: int, parts: tuple[SnmpMessage, ...], frame: SnmpMessage) -> Verdict:
        """A response with the number of the question and, unless it is an error, the variables asked for."""
        pdu = frame.pdu
        if pdu.type is not PduType.RESPONSE or pdu.request != number:
            return Verdict.STRAY
        known = self._answered
        if pdu.error or (known is not None and known[0] is request and known[1] is pdu.variables):
            return Verdict.ANSWER
        if tuple(variable.oid for variable in pdu.variables) != request.oids:
            return Verdict.STRAY
        self._answered = (request, pdu.variables)
        return Verdict.ANSWER

    def content(self, frame: SnmpMessage) -> object:
        """The variables, kept as long as the same bytes come; an error says something else."""
        return None if frame.pdu.error else frame.pdu.variables

    def respond(self, frame: SnmpMessage) -> bytes:
        """Nothing: a controller never asks."""
        return b""

    def heartbeat(self) -> Request:
        """Who is in charge; a read, which does not feed the controller's backup timer."""
        return query(ASC.scalar["control_status"].oid)

    def answer_size(self, request: Request) -> int:
        """As long as the question, its values filled in."""
        return 40 + 22 * len(request.variables)

    def reset(self) -> None:
        """Forget half a frame."""
        self._framer.reset()
