"""Where a vehicle comes from when none is on the pad."""
