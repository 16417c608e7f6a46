"""Weights of the public SPADE, CLADE and PaddleGAN photopen models -> a model folder of ours."""
