"""What happens while a solution is in use: predictions kept, feedback of people."""
