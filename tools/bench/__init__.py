"""Measuring: the benchmark and its workloads, and the simulation of large tables."""
