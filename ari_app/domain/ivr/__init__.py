"""What a caller hears and presses before anybody is rung."""
