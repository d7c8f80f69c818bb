"""What people look at rather than read: pages with pictures and charts, and tables."""
