"""Rotate short Inspektor Gadget sessions over a cluster; export metrics, forward events."""

__version__ = "2026.11.0"
