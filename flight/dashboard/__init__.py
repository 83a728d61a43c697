"""The dashboard: a record, live or replayed, in a browser; orders go back as lines of a file."""
