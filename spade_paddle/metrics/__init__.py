"""Metrics of label maps and pictures."""
