"""AI services behind one port: what is asked, what comes back, what it costs and how it fails."""
