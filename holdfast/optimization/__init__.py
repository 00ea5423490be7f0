"""A linear program tells what is best to do with the battery; its data and its answer are here."""
