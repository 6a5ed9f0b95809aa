"""Strategies: state in, wish out. One strategy a file."""
