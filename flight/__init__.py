"""Flight: links, protocols, the conductor, the record, the report, the command line."""
