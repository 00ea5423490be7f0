"""Safety says what the battery may do now. Every layer only narrows, and zero is always inside."""
