"""Ratios measured within one run and printed as tables; `make bench` runs them all."""
