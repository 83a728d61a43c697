"""What was really sprayed, and how the rest is taken up again."""
