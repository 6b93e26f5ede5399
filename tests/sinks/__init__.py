"""Sinks: what is sent, what is made of each answer, and that every record has one outcome."""
