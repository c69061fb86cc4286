"""What AI services are asked, within which limits, and what it costs."""
