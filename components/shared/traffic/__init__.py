"""What clients met: counted where they are answered, read where it is decided."""
