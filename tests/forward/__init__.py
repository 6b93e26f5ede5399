"""Forwarding: what becomes a record, what it holds, and what it must not hold."""
