"""What is shown at a terminal, and told to machines."""
