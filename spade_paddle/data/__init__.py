"""Label sets, photo/label pairs and their transforms."""
