"""The organiser's papers: rosters, notices, mixing sheets, costs; pure functions over plans."""
