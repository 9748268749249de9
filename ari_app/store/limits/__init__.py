"""What calls hold of caps, of funds and of a trunk's spend limit."""
