"""SunSpec devices tell themselves where their registers are; their tables go by names."""
