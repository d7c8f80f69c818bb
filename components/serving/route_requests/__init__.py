"""The front door: two servers behind one address, and each request answered by one of them."""
