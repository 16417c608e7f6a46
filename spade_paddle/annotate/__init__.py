"""Photos become label maps by segmentation networks of PaddleSeg."""
