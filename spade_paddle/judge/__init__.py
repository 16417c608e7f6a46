"""Scores of pictures by a network that no training uses."""
