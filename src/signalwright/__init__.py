"""Adaptive traffic signal control: loop counts in, safe signals out."""

__version__ = "0.1.0"
