"""The community's blind spots as people keep them: read, changed, merged, proposed."""
