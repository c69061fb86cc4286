"""Pages over the services, and the server that answers both."""
