"""Policy packs: rules as data, held against a site, a plan and a flight. No legal advice."""
