"""What calls use and reserve of caps, of funds and of a trunk's spend limit."""
