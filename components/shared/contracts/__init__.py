"""Records, file layouts and policies that two or more jobs have in common."""
