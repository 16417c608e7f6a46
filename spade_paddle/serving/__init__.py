"""The web service: settings, the checked request, the painting queue and the Flask routes."""
