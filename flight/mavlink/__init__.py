"""Wires to vehicles and what travels over them: links, frames, signing, values, state."""
