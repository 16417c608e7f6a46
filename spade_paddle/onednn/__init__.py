"""Convolutions by the oneDNN library that lies in Paddle's wheel, several times as fast on a CPU as
Paddle's own in training."""
