"""Runs, validation, comparison, metrics, statistics and reports."""
