"""Sources differ in how each is asked for prices, and in how its answer is read."""
