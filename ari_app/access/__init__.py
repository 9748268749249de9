"""Who acts; and later, who may see and do what."""
