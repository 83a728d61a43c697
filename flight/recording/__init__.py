"""The record of an operation: append-only, checksummed, with the raw frames beside it."""
