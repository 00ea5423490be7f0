"""Control is one pure cycle, from a frozen process image to the writes that it calls for."""
