"""What the marketplace is made of: parties, campaigns and their terms, trunks, creatives."""
