"""Painting on a CPU: convolutions by oneDNN, channels last, and everything between them in C."""
