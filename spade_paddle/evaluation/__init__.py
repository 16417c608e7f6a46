"""Evaluates models on the scenes of a data set."""
