"""Who is to be told what, and in which words; nothing here sends anything."""
