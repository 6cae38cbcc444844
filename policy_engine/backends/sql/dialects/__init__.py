"""What the SQL dialects do differently: one small module for each."""
