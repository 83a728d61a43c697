"""A whole operation: every drone through its sorties, orders from people, one record."""
