"""Annotates photos: label maps predicted by segmentation networks of PaddleSeg."""
