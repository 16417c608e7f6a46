"""Painting on a CPU: channels-last convolutions by oneDNN, and everything between them in C."""
