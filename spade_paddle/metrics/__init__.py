"""Numbers that tell how good label maps and pictures are."""
