"""What people look at rather than read: self-contained pages with pictures and charts."""
