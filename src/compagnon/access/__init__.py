"""Who may do what: API keys with scopes, and how often."""
