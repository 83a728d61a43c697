"""Exchanges with one vehicle: commands, parameters, missions, files, and their proof."""
