"""What forbids, stops or warns: the pump's interlock, preflight, weather, separation, falls."""
