"""Planning at scale: many sites, many processes, other machines."""
