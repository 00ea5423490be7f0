"""The campaign runs the fault table: row by row, in pairs, for days, and without each layer."""
