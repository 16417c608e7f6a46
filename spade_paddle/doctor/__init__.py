"""Checks a data set, says how to fix what is wrong, and writes a repaired copy."""
