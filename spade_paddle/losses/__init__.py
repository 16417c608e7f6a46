"""The losses of the article, as pure functions of network outputs."""
