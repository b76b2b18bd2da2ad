"""What each vendor refuses, in the vendor's words."""
