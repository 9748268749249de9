"""What many calls come to."""
