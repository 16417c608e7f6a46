"""Channel pruning of generators to a budget, as in CAT (Jin et al., CVPR 2021)."""
