"""NTCIP 1202 objects over SNMPv1: the same messages go through PMPP on a serial line and in UDP datagrams."""

from .asc import ASC, Scalar, Table, groups_of, phases_of
from .ber import Oid
from .snmp import Pdu, PduType, SnmpError, SnmpMessage, Value, VarBind

__all__ = [
    "ASC",
    "Oid",
    "Pdu",
    "PduType",
    "Scalar",
    "SnmpError",
    "SnmpMessage",
    "Table",
    "Value",
    "VarBind",
    "groups_of",
    "phases_of",
]
