"""Builds the dashboards in grafana/ from short definitions; igpipe itself never needs it."""
