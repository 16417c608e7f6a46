"""Convolutions by the oneDNN library in Paddle's wheel; in training on a CPU they are several times
as fast as Paddle's own."""
