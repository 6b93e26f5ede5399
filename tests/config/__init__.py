"""Tests of the configuration: models, loading, the generated reference."""
