"""Scores of pictures by a network that training does not use."""
