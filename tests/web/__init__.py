"""Tests of the web server: pages, metrics, guards."""
