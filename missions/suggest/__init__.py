"""Places on the map that may be blind spots: proposals by named rules, for people to confirm."""
