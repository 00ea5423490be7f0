"""What is best to do with the battery: a linear program, its data and its answer."""
