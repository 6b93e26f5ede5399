"""Tests of the ledger: its file, its records, its Events, and reading it back."""
