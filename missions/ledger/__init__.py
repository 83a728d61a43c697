"""The ledger of a community: what was treated when, tied row to row, and what is due."""
