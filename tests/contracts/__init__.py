"""What files beside the code promise about it."""
